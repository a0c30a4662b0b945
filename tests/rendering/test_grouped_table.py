"""A table with columns in groups."""

from __future__ import annotations

import pytest

from landfall.rendering import Cell, ColumnGroup, grouped_table

GROUPS = (
    ColumnGroup("", ("head",), numeric=False),
    ColumnGroup("R@1", ("paper", "ours")),
)


def test_a_group_spans_its_columns_and_notes_stand_below() -> None:
    markup = grouped_table(
        GROUPS, [(Cell("CRN"), Cell("81.7"), Cell("80.0", ("[70.0, 88.1]", "± 0.4")))]
    ).markup
    assert '<th colspan="2" class="first">R@1</th>' in markup
    assert '<td class="number">80.0<small>[70.0, 88.1]</small><small>± 0.4</small></td>' in markup
    assert '<td class="first">CRN</td>' in markup


def test_without_titles_there_is_one_row_of_headings() -> None:
    markup = grouped_table((ColumnGroup("", ("a", "b")),), []).markup
    assert markup.count("<tr>") == 1
    assert "groups" not in markup


def test_texts_are_escaped_and_links_lead_down_the_page() -> None:
    cell = Cell("<b>", ("<i>",))
    markup = grouped_table(
        GROUPS, [(cell, Cell(), Cell()), (cell, Cell(), Cell())], links=("here", "")
    ).markup
    assert '<a href="#here">&lt;b&gt;</a><small>&lt;i&gt;</small>' in markup
    assert markup.count("<a ") == 1
    assert "<b>" not in markup


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 3 columns"):
        grouped_table(GROUPS, [(Cell(), Cell())])
