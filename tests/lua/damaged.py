#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Modules on cores whose memory is damaged at random: some seeds of what
tests/campaign/modules does for hours."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _damage  # noqa: E402
import _modules  # noqa: E402

if __name__ == "__main__":
    sys.exit(_modules.main(
        lambda bench, t: _damage.run(bench, t, range(3))))
