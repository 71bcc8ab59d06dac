# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every faulty release that must be stopped before the first write, each with the nearest release that is right."""

from . import code, harmless, history, mixtures, old, operations
from .registry import FAULTS, HEALTHY, Fault, Healthy, twins

__all__ = [
    "FAULTS",
    "HEALTHY",
    "Fault",
    "Healthy",
    "code",
    "harmless",
    "history",
    "mixtures",
    "old",
    "operations",
    "twins",
]
