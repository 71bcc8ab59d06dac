# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import pg_dump
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.blueprint import Statement

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """--
-- PostgreSQL database dump
--

\\restrict 7Ur2nAkDq

SET transaction_timeout = 0;

--
-- Name: public; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA public;


--
-- Name: odd; Type: TABLE; name; Type: TABLE; Schema: my; schema; Owner: -
--

CREATE TABLE "my; schema"."odd; Type: TABLE; name" (
    id integer
);


--
-- Name: f(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$
-- Name: x; Type: INDEX; Schema: public; Owner: -
SELECT 'a'
$$;


--
-- Name: far; Type: FOREIGN TABLE; Schema: public; Owner: -
--

CREATE FOREIGN TABLE public.far (id integer) SERVER elsewhere;


--
-- Name: i; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX i ON public.t USING btree (id);


--
-- Name: v; Type: VIEW; Schema: public; Owner: -
--

CREATE OR REPLACE VIEW public.v AS SELECT 1;


--
-- PostgreSQL database dump complete
--

\\unrestrict 7Ur2nAkDq
"""


def test_a_script_is_taken_apart_into_what_comes_before_the_rows_and_after_them() -> None:
    before, after, left_out = pg_dump.parts(SCRIPT)
    assert [statement.schema for statement in before] == ["my; schema", "public"]
    assert before[0].sql == 'CREATE TABLE "my; schema"."odd; Type: TABLE; name" (\n    id integer\n);'
    assert "SELECT 'a'" in before[1].sql
    assert after[0] == Statement("public", "CREATE INDEX i ON public.t USING btree (id);")
    # What comes after an index stays behind it.
    assert after[1].sql.startswith("CREATE OR REPLACE VIEW")
    assert left_out == ["1 foreign tables"]
    everything = "\n".join(statement.sql for statement in before + after)
    assert "restrict" not in everything
    assert "transaction_timeout" not in everything
    assert "CREATE SCHEMA" not in everything
    assert "FOREIGN" not in everything


def test_an_empty_script_has_no_parts() -> None:
    assert pg_dump.parts("--\n-- PostgreSQL database dump\n--\n") == ([], [], [])


def test_how_to_connect_is_said_without_what_is_secret_or_too_new() -> None:
    parameters = {
        "host": "db",
        "user": "o'brien \\",
        "password": "hush",
        "sslpassword": "hush",
        "sslnegotiation": "direct",
    }
    assert pg_dump.conninfo(parameters) == "host='db' user='o\\'brien \\\\'"


def programs(directory: Path, monkeypatch: pytest.MonkeyPatch, *versions: str) -> list[str]:
    """One pg_dump a version, in directories that are the PATH."""
    paths = []
    for number, version in enumerate(versions):
        place = directory / str(number)
        place.mkdir()
        paths.append(str(place / "pg_dump"))
        (place / "pg_dump").write_text(f"#!/bin/sh\necho '{version}'\n")
        (place / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(os.path.dirname(path) for path in paths))
    monkeypatch.setattr(pg_dump, "_INSTALLED", ())
    return paths


@pytest.mark.parametrize(
    ("server", "chosen"),
    [(13, 1), (15, 1), (16, 2), (18, 3), (19, None)],
)
def test_the_program_of_the_servers_version_is_taken_else_the_next_newer_one(
    server: int, chosen: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = programs(
        tmp_path,
        monkeypatch,
        "no version",
        "pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)",
        "pg_dump (PostgreSQL) 17.6",
        "pg_dump (PostgreSQL) 18beta1",
    )
    assert pg_dump.find_program(server) == (None if chosen is None else paths[chosen])
