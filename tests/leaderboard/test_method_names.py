"""What methods are called: tools by their names, with settings where that tells them apart."""

from itertools import permutations

from glassbench.leaderboard import results_frame
from glassbench.leaderboard.results_frame import names_in_order


def named(results):
    return {
        (one.tool, str(one.settings)): name
        for one, name in zip(results, names_in_order(results), strict=True)
    }


def test_settings_are_told_where_a_tool_has_several(make_result):
    results = [
        make_result("a", "t-v1", 0.5),
        make_result("a", "t-v1", 0.5, settings={"k": 1}),
        make_result("b", "t-v1", 0.5, settings={"k": 1}),
    ]
    assert names_in_order(results) == ["a (defaults)", "a (k=1)", "b"]


def test_no_two_methods_have_one_name_in_whichever_order_they_come(make_result):
    results = [
        make_result("a (k=1)", "t-v1", 0.5),
        make_result("a", "t-v1", 0.5, settings={"k": 1}),
        make_result("a", "t-v1", 0.5, settings={"k": "1"}),
        make_result("a", "t-v1", 0.5, settings={"k": 2}),
    ]
    found = named(results)
    assert len(set(found.values())) == 4
    assert found["a", "{'k': 2}"] == "a (k=2)"
    assert all(name.startswith("a (k=1) #") for own, name in found.items() if "2" not in own[1])
    assert all(named(list(order)) == found for order in permutations(results))
    assert results_frame(results)["method"].nunique() == 4


def test_a_tool_cannot_take_the_name_that_tells_others_apart(make_result):
    results = [
        make_result("a (k=1)", "t-v1", 0.5),
        *(make_result("a", "t-v1", 0.5, settings={"k": k}) for k in (1, 2)),
    ]
    taken = named(results)["a (k=1)", "{}"]
    found = named([*results, make_result(taken, "t-v1", 0.5)])
    assert len(set(found.values())) == 4
    assert found["a (k=1)", "{}"].startswith(taken)
