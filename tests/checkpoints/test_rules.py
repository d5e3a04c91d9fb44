from convatlas.checkpoints.rules import beneath, normed, renamed

RULES = (("stage{n}.block{m}.branch.conv{k}", "layer{n}.{m-1}.conv{k}"), ("table", "a.b"))


def test_a_rule_counts_and_keeps_what_a_module_holds() -> None:
    keys = ("stage3.block12.branch.conv2.weight", "stage1.block1.branch.conv1.running_var", "table")
    assert renamed(keys, RULES) == {
        keys[0]: "layer3.11.conv2.weight",
        keys[1]: "layer1.0.conv1.running_var",
        "table": "a.b",
    }


def test_points_are_points_and_the_whole_key_is_matched() -> None:
    assert renamed(["stage1xblock1.branch.conv1.weight"], RULES) is None
    assert renamed(["x.table"], RULES) is None
    assert renamed(["table.other"], RULES) is None


def test_rules_that_would_join_two_keys_are_not_for_them() -> None:
    assert renamed(["a1.weight", "a2.weight"], (("a{n}", "b"),)) is None


def test_the_first_rule_that_matches_decides() -> None:
    rules = (("stage.9", "last"), ("stage.{n}", "all.{n}"))
    assert renamed(["stage.9.bias", "stage.8.bias"], rules) == {
        "stage.9.bias": "last.bias",
        "stage.8.bias": "all.8.bias",
    }


def test_rules_inside_modules_and_of_convolutions_with_norms() -> None:
    assert beneath({"a": "x", "b": "y"}, (("1", "one"),)) == (("a.1", "x.one"), ("b.1", "y.one"))
    assert normed((("a", "x"),)) == (("a.0", "x.conv"), ("a.1", "x.bn"))
