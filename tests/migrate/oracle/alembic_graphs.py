"""Writes alembic_graphs.json: what Alembic itself does with random graphs.

Run with Alembic 1.8.1: python3 tests/migrate/oracle/alembic_graphs.py
Each case is a graph, the rows of its version table, a command, and either the
set of revisions Alembic runs with the rows it leaves, or "error".
"""
import json
import os
import random
import warnings

from alembic.runtime.migration import HeadMaintainer, MigrationStep
from alembic.script.revision import Revision, RevisionMap

warnings.simplefilter("ignore")


class Rows(HeadMaintainer):
    def __init__(self, heads):
        self.heads = set(heads)

    def _insert_version(self, version):
        assert version not in self.heads
        self.heads.add(version)

    def _delete_version(self, version):
        self.heads.remove(version)

    def _update_version(self, from_, to_):
        assert to_ not in self.heads
        self.heads.remove(from_)
        self.heads.add(to_)


def graph(rng, size):
    revisions = []
    for at in range(size):
        name = "r%02dx" % at
        down, depends = [], []
        if at and rng.random() > 0.15:
            down = [rng.choice(revisions[-4:])["revision"]]
            if at > 2 and rng.random() < 0.25:
                other = rng.choice(revisions)["revision"]
                if other not in down:
                    down.append(other)
        if at > 2 and rng.random() < 0.2:
            other = rng.choice(revisions)["revision"]
            if other not in down:
                depends.append(other)
        revisions.append(
            {"revision": name, "downRevision": down, "dependsOn": depends,
             "branchLabels": ["lab%02d" % at] if rng.random() < 0.2 else []}
        )
    return revisions


def build(revisions):
    return RevisionMap(lambda: [
        Revision(r["revision"], tuple(r["downRevision"]) or None,
                 dependencies=tuple(r["dependsOn"]) or None,
                 branch_labels=tuple(r["branchLabels"]) or None)
        for r in revisions
    ])


def run(map_, heads, direction, target):
    rows = Rows(heads)
    up = direction == "upgrade"
    if up:
        path = list(map_.iterate_revisions(target, tuple(heads), implicit_base=True))[::-1]
    else:
        path = list(map_.iterate_revisions(
            tuple(heads), target, select_for_downgrade=True))
    ran = []
    for node in path:
        node.module = type("M", (), {"upgrade": None, "downgrade": None})
        make = MigrationStep.upgrade_from_script if up else MigrationStep.downgrade_from_script
        rows.update_to_step(make(map_, node))
        ran.append(node.revision)
    return {"ran": sorted(ran), "heads": sorted(rows.heads)}


def targets(rng, revisions, up):
    name = rng.choice(revisions)["revision"]
    labels = [l for r in revisions for l in r["branchLabels"]]
    choices = [name, "+1", "+2", "-1", "-2", name + "+1", name + "-1"]
    choices += ["heads", "head"] if up else ["base"]
    if labels:
        label = rng.choice(labels)
        choices += [label + "@head", label + "@base", label + "@+1",
                    label + "@-1", label, label + "@" + name, label + "@heads"]
    return rng.choice(choices)


def main():
    rng = random.Random(20)
    graphs = []
    for _ in range(30):
        revisions = graph(rng, rng.randint(3, 12))
        map_ = build(revisions)
        states = [[]]
        cases = []
        for _ in range(30):
            heads = rng.choice(states)
            direction = rng.choice(["upgrade", "upgrade", "downgrade"])
            target = targets(rng, revisions, direction == "upgrade")
            case = {"heads": heads, "direction": direction, "target": target}
            try:
                case["result"] = run(map_, heads, direction, target)
                if case["result"]["heads"] not in states:
                    states.append(case["result"]["heads"])
            except Exception as error:
                case["result"] = "error"
                case["note"] = type(error).__name__
            if case not in cases:
                cases.append(case)
        graphs.append({
            "revisions": revisions,
            "heads": sorted(map_.heads),
            "realHeads": sorted(map_._real_heads),
            "labels": {r: sorted(map_.get_revision(r).branch_labels)
                       for r in sorted(x["revision"] for x in revisions)},
            "cases": cases,
        })
    path = os.path.join(os.path.dirname(__file__), "alembic_graphs.json")
    with open(path, "w") as out:
        json.dump(graphs, out, indent=None, separators=(",", ":"))
        out.write("\n")


main()
