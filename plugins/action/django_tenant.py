# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of the module of the same name: its progress, while it runs."""

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.plugin_utils.watched_action import WatchedAction


class ActionModule(WatchedAction):
    """Watched where it is given many tenants."""

    def is_watched(self) -> bool:
        return bool(self._task.args.get("tenants")) and super().is_watched()
