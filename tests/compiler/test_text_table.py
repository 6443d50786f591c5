"""Text tables: what gives way where a table is too wide."""

from glassbench.compiler.text_table import text_table


def test_columns_are_narrowed_between_words_before_inside_of_them():
    name, words = "a_name_of_twenty_four_ch", "some words " * 6
    text = text_table(["Name", "Which"], [[name, words.strip()]], width=44)
    assert name in text
    assert max(map(len, text.splitlines())) <= 44


def test_words_are_broken_where_nothing_else_helps():
    text = text_table(["Name", "Which"], [["a" * 40, "b" * 40]], width=30)
    assert max(map(len, text.splitlines())) <= 30
    assert text.count("a") - 1 == text.count("b") == 40
