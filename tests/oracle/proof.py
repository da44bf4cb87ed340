# SPDX-License-Identifier: MIT
"""Proofs that GDB is wrong about a variable. An entry of exceptions.json names
the class of its proof, and counts only where the proof holds again in this
run, on evidence from GDB's own reading of the debug information
(ORACLE_EVIDENCE in gdb_dump.py).

"call-clobbered": the debug information says at the call that the variable is
in a register that belongs to the callee (System V ABI for x86-64, section
3.2.1), and the callee's unwind information saves no such register. So its
value at the call is nowhere to be had. GDB takes a register without a rule for
one that kept its value (DWARF2_FRAME_REG_UNSPECIFIED) and shows what some
younger function left there.

Where the program without optimisation has GDB's value, it is not wrong, and
nothing is proved.

"inline-entry": the variable of an inlined function is the value that a
register had on entry to the function around it (DW_OP_entry_value). GDB 13
evaluates the caller's DW_TAG_call_site_parameter in the wrong frame then, and
contradicts itself: for a variable of the outer function with the very same
location it has our value.
"""
import re

import compare

CLOBBERED = re.compile(r"\$(?:[re]?(?:ax|cx|dx|si|di)|r(?:8|9|10|11)|"
                       r"[xyz]mm\d+|st\d?)\b")
# Within the operand of an entry value, a register is the caller's.
ENTRY = re.compile(r"DW_OP_(?:GNU_)?entry_value(?: \d+:)? DW_OP_\w+"
                   r"(?: -?\d+)? \[\$\w+\]")
# Nothing but registers, and pieces that are nowhere.
BARE = re.compile(r"(?:(?:, )?(?:and )?(?:a variable in \$\w+|"
                  r"an empty \d+-byte piece)(?: \[\d+-byte piece\])?)+$")


def registers(location):
    """The call-clobbered registers that a location needs."""
    own = ENTRY.sub("", location or "")
    return {m.group(0)[1:] for m in CLOBBERED.finditer(own)}


def confirmed(difference):
    """Whether GDB shows our value for the same variable of the same function
    in the same program without optimisation, where nothing is lost. None when
    that cannot be told: addresses differ from run to run."""
    v, known = difference["ours"], difference.get("known")
    mine = compare.number(str(v.get("value")))
    if v["kind"] == "pointer" or mine is None or not known:
        return None
    return mine in known


def call_clobbered(difference):
    """The proof as a text, or None."""
    if difference["what"] != "value" or difference["callee"] is None:
        return None
    theirs, callee = difference["gdb"], difference["callee"]
    location = theirs.get("location")
    needed = registers(location)
    saved = callee.get("saved")
    if not needed or saved is None or needed & set(saved):
        return None
    ours, value = difference["ours"], theirs["value"]
    known = difference.get("known")
    if known and compare.number(str(value.get("v"))) in known:
        return None  # nothing has used the register: GDB is right by luck
    everything = {name[1:] for name in re.findall(r"\$\w+", location)}
    if everything == needed and (BARE.match(location) or
                                 "-byte piece" not in location):
        # All of it is lost. What we have instead comes from
        # DW_TAG_call_site_parameter.
        if compare.has_value(ours) and confirmed(difference) is not True:
            return None
    # Else only those parts may differ that we say are unknown.
    elif ours["kind"] == "unavailable" or not compare.same_value(
            ours, compare.without_unknown(ours, value)):
        return None
    return (f"at {difference['frame'].get('call')} the debug information has "
            f"it as \"{location}\"; {callee['name']} saves of its caller's "
            f"registers only {', '.join(saved)}")


def plain(value):
    """The number of a scalar, the address of a reference."""
    return value["a"] if value["k"] == "ref" else value.get("v")


def inline_entry(difference):
    """The proof as a text, or None."""
    if difference["what"] != "value" or \
            difference["frame"]["kind"] != "inline":
        return None
    location = difference["gdb"].get("location")
    mine = difference["ours"].get("value")
    if not ENTRY.search(location or "") or mine is None:
        return None
    for other in difference["outer"]["variables"]:
        if other["location"] == location and \
                plain(other["value"]) == compare.to_int(mine):
            return (f"the debug information has it as \"{location}\", as it "
                    f"has {other['name']} of {difference['outer']['name']}, "
                    f"for which GDB shows our value")
    return None


CLASSES = {"call-clobbered": call_clobbered, "inline-entry": inline_entry}


def find(difference):
    """(class, text) of the first proof that holds, or None."""
    for name, check in CLASSES.items():
        text = check(difference)
        if text is not None:
            return name, text
    return None


def excused(difference, case, exceptions):
    """True when an entry names this difference and its proof holds."""
    for x in exceptions:
        if x["case"] == case and x["name"] == difference.get("name") and \
                x["function"] == difference.get("function"):
            return CLASSES[x["class"]](difference) is not None
    return False
