# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.structure import (
    Structure,
    difference,
    without_schema,
)
from hypothesis import given
from hypothesis import strategies as st

ACME = Structure(
    "acme",
    {
        ("plant", "relation", ""): "r",
        ("plant", "column", "id"): "bigint NOT NULL",
        ("plant", "column", "name"): "text",
        ("plant_id_seq", "relation", ""): "S",
        ("plants_by_town", "relation", ""): "v",
        ("plants_by_town", "column", "town"): "text",
    },
)


def test_tables_are_what_has_columns_and_no_sequence() -> None:
    assert ACME.tables == {"plant", "plants_by_town"}


def test_the_columns_of_a_table_are_its_own() -> None:
    assert ACME.columns("plant") == {"id", "name"}
    assert ACME.columns("none") == set()


def test_a_difference_tells_both_definitions_and_none_where_one_side_lacks_it() -> None:
    changed = {
        **ACME.parts,
        ("plant", "column", "name"): "text NOT NULL",
        ("plant", "index", "plant_name"): "CREATE INDEX …",
    }
    del changed["plant", "column", "id"]
    assert difference(ACME, Structure("globex", changed)) == {
        ("plant", "column", "id"): ("bigint NOT NULL", None),
        ("plant", "column", "name"): ("text", "text NOT NULL"),
        ("plant", "index", "plant_name"): (None, "CREATE INDEX …"),
    }


PARTS = st.dictionaries(
    st.tuples(st.sampled_from("tu"), st.sampled_from(["column", "index"]), st.sampled_from("xyz")), st.text(max_size=3)
)


@given(PARTS, PARTS)
def test_two_structures_differ_by_what_would_make_one_the_other(
    left: dict[tuple[str, str, str], str], right: dict[tuple[str, str, str], str]
) -> None:
    found = difference(Structure("left", left), Structure("right", right))
    mended = {key: text for key, text in left.items() if found.get(key, ("", ""))[1] is not None}
    mended.update({key: text for key, (_old, text) in found.items() if text is not None})
    assert mended == right
    assert found == {key: pair[::-1] for key, pair in difference(Structure("", right), Structure("", left)).items()}


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ("CREATE INDEX i ON acme.plant USING btree (id)", "acme", "CREATE INDEX i ON plant USING btree (id)"),
        ("nextval('acme.plant_id_seq'::regclass)", "acme", "nextval('plant_id_seq'::regclass)"),
        ('FOREIGN KEY (a) REFERENCES "Old Acme".plant(id)', "Old Acme", "FOREIGN KEY (a) REFERENCES plant(id)"),
        ('CREATE INDEX i ON "a""b".plant', 'a"b', "CREATE INDEX i ON plant"),
        ("REFERENCES public.plan(id)", "acme", "REFERENCES public.plan(id)"),
        ("varchar(20) NOT NULL", "varchar", "varchar(20) NOT NULL"),
        # A name that ends with the schema's is another name.
        ("REFERENCES public.plan(id)", "ic", "REFERENCES public.plan(id)"),
        ("CREATE INDEX i ON old_acme.plant", "acme", "CREATE INDEX i ON old_acme.plant"),
        ("CREATE INDEX i ON big$acme.plant", "acme", "CREATE INDEX i ON big$acme.plant"),
        ('REFERENCES "the acme".plan(id)', "acme", 'REFERENCES "the acme".plan(id)'),
        (
            'CREATE INDEX i ON a USING btree (b) WHERE "t.acme".x',
            "acme",
            'CREATE INDEX i ON a USING btree (b) WHERE "t.acme".x',
        ),
    ],
)
def test_a_definition_is_told_without_the_schema_it_stands_in_and_keeps_every_other_name(
    text: str, schema: str, expected: str
) -> None:
    assert without_schema(text, schema) == expected


@given(st.sampled_from(["acme", "a", "Old Acme", 'a"b', "über"]), st.sampled_from(["acme2", "b", "Neu", 'x"']))
def test_two_schemas_made_alike_read_alike(one: str, other: str) -> None:
    def printed(schema: str) -> str:
        plain = schema.isidentifier() and schema == schema.lower()
        name = schema if plain else '"' + schema.replace('"', '""') + '"'
        return f"CREATE UNIQUE INDEX i ON {name}.data USING btree (upper(x), {name}.f(y)) DEFAULT nextval('{name}.s')"

    assert without_schema(printed(one), one) == without_schema(printed(other), other)
