# SPDX-License-Identifier: MIT
"""Proofs that GDB is wrong about a variable. An entry of exceptions.json names
the class of its proof, and counts only where the proof holds again in this
run, on evidence from GDB's own reading of the debug information
(ORACLE_EVIDENCE in gdb_dump.py).

One class exists, "call-clobbered". The debug information says at the call
that the variable is in a register that belongs to the callee (System V ABI
for x86-64, section 3.2.1), and the callee's unwind information saves no such
register. So its value at the call is nowhere to be had. GDB takes a register
without a rule for one that kept its value (DWARF2_FRAME_REG_UNSPECIFIED) and
shows what some younger function left there.
"""
import re

CLOBBERED = re.compile(r"\$(?:[re]?(?:ax|cx|dx|si|di)|r(?:8|9|10|11)|"
                       r"[xyz]mm\d+|st\d?)\b")
# Within the operand of an entry value, a register is the caller's.
ENTRY = re.compile(r"DW_OP_(?:GNU_)?entry_value(?: \d+:)? DW_OP_\w+"
                   r"(?: -?\d+)? \[\$\w+\]")
WHOLE = re.compile(r"a variable in \$\w+$")


def registers(location):
    """The call-clobbered registers that a location needs."""
    own = ENTRY.sub("", location or "")
    return {m.group(0)[1:] for m in CLOBBERED.finditer(own)}


def says_unknown(v):
    """Our answer is "unavailable", for the whole or for parts of it."""
    if v is None:
        return False
    if v["kind"] == "unavailable":
        return v.get("reason") == "register not saved"
    parts = v.get("members") or v.get("elements") or []
    return any(says_unknown(p) for p in parts)


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
    # Either we say that it cannot be known, or the register is all there is
    # to it and we have the value from elsewhere (DW_TAG_call_site_parameter).
    if not says_unknown(difference["ours"]) and \
            not WHOLE.match(location):
        return None
    return (f"at {difference['frame'].get('call')} the debug information has "
            f"it as \"{location}\"; {callee['name']} saves of its caller's "
            f"registers only {', '.join(saved)}")


CLASSES = {"call-clobbered": call_clobbered}


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
