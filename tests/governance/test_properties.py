"""Made-up rules over made-up tasks: what must hold whatever they say."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.catalog import Catalog, Kind, Manifest
from casemate.documents import Document, Mark, node_of, plain
from casemate.governance import Placed, Rulebook, Scope, configured, govern, read_policy

TYPES = ("a.One", "a.Two", "b.Three")
CATALOG = Catalog(
    Manifest(type=name, kind=Kind.TASK, title="x", properties={"properties": {}}, aliases=(f"old.{name}",))
    for name in TYPES
)
HERE = Mark(1, 1)
ANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

leaf = st.sampled_from([1, 2, "x", "y", True, ["p"], ["q", "r"]])
values = st.dictionaries(
    st.sampled_from("uvw"), st.one_of(leaf, st.dictionaries(st.sampled_from("mn"), leaf, min_size=1)), min_size=1
)
kinds = st.sampled_from([*TYPES, *(f"old.{name}" for name in TYPES)])
tasks = st.recursive(
    st.builds(lambda kind, more: {"type": kind, **more}, kinds, values),
    lambda inner: st.builds(lambda outer, child: {**outer, "tasks": child}, inner, st.lists(inner, max_size=2)),
    max_leaves=3,
)
wheres = st.one_of(
    st.just([]),
    st.builds(
        lambda operator, kind: [{"field": "type", "operator": operator, "value": kind}],
        st.sampled_from(["EQUAL_TO", "STARTS_WITH", "NOT_EQUAL_TO"]),
        st.sampled_from([*TYPES, "a.", "old."]),
    ),
)
adds = st.builds(
    lambda where, given, override: {
        "type": "io.kestra.plugin.ee.rules.Add",
        "on": "PLUGIN",
        "where": where,
        "values": given,
        "override": override,
    },
    wheres,
    values,
    st.booleans(),
)
deletes = st.builds(
    lambda where, name: {
        "type": "io.kestra.plugin.ee.rules.Delete",
        "on": "PLUGIN",
        "where": where,
        "properties": [name],
    },
    wheres,
    st.sampled_from(["u", "v.m", "w"]),
)
places = st.sampled_from(
    [(Scope.STATIC, None), (Scope.INSTANCE, None), (Scope.NAMESPACE, "n"), (Scope.NAMESPACE, "n.o")]
)


@st.composite
def rulebooks(draw):
    found = []
    for number, rules in enumerate(
        draw(st.lists(st.lists(st.one_of(adds, deletes), min_size=1, max_size=2), max_size=4))
    ):
        scope, namespace = draw(places)
        policy = read_policy(node_of({"id": f"p{number}", "rules": rules}, HERE))
        if not isinstance(policy, tuple):
            found.append(Placed(policy=policy, scope=scope, namespace=namespace))
    return found


def outcome(task, policies, defaults=()):
    rules = Rulebook(placed=tuple(policies), configured=configured("kestra.plugins.defaults", defaults))
    root = node_of({"id": "f", "namespace": "n.o", "tasks": [task]}, HERE)
    return govern(Document(root, ""), rules.laws("main", "n.o"), CATALOG, records=True)


def meaning(found):
    return (plain(found.document.root), sorted(problem.message for problem in found.problems("f")))


@ANY
@given(tasks, rulebooks(), st.randoms(use_true_random=False))
def test_the_order_in_which_policies_are_kept_decides_nothing(task, policies, chance):
    shuffled = list(policies)
    chance.shuffle(shuffled)
    assert meaning(outcome(task, policies)) == meaning(outcome(task, shuffled))


@ANY
@given(tasks, rulebooks())
def test_rules_applied_twice_change_nothing_more(task, policies):
    first = outcome(task, policies)
    if first.conflicts:
        return
    again = outcome(plain(first.document.root)["tasks"][0], policies)
    assert plain(again.document.root) == plain(first.document.root)


@ANY
@given(tasks, rulebooks())
def test_what_is_told_to_have_changed_is_all_that_has(task, policies):
    found = outcome(task, policies)
    before, after = {"id": "f", "namespace": "n.o", "tasks": [task]}, plain(found.resolved.root)
    for change in found.mutations:
        before = changed(before, change)
    assert before == after


def changed(value, change):
    return _set(value, change.path, change)


def _set(node, path, change):
    step, rest = path[0], path[1:]
    if rest:
        copied = dict(node) if isinstance(node, dict) else list(node)
        copied[step] = _set(node[step], rest, change)
        return copied
    kept = {key: value for key, value in node.items() if key != step or change.action != "REMOVED"}
    return kept if change.action == "REMOVED" else {**kept, step: change.value}


@ANY
@given(
    tasks,
    st.lists(
        st.builds(
            lambda kind, given, forced: {"type": kind, "values": given, "forced": forced},
            st.sampled_from([*TYPES, "a.", "old.a"]),
            values,
            st.booleans(),
        ),
        max_size=4,
    ),
)
def test_a_forced_default_always_wins(task, defaults):
    found = plain(outcome(task, (), defaults).document.root)["tasks"][0]
    names = CATALOG.names(task["type"])
    mine = [each for each in defaults if each["forced"] and any(name.startswith(each["type"]) for name in names)]
    strongest = max(mine, key=lambda each: len(each["type"]), default=None)
    for name, value in (strongest["values"] if strongest else {}).items():
        if not isinstance(value, dict):
            assert found[name] == value


@ANY
@given(tasks, rulebooks())
def test_an_alias_is_no_way_around(task, policies):
    def renamed(value):
        if isinstance(value, dict):
            return {key: CATALOG.canonical(each) if key == "type" else renamed(each) for key, each in value.items()}
        return [renamed(each) for each in value] if isinstance(value, list) else value

    assert renamed(plain(outcome(task, policies).document.root)) == plain(
        outcome(renamed(task), policies).document.root
    )
