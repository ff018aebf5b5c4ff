from pathlib import Path

import pytest

from tenone.config.problems import ConfigError, ConfigProblem, KeyPath, spell


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("school",), "school"),
        (("switches", 0, "host"), "switches[0].host"),
        (("schools", 2, "links", 11), "schools[2].links[11]"),
        ((3, "a"), "[3].a"),
    ],
)
def test_key_paths_are_spelled(path: KeyPath, text: str) -> None:
    assert spell(path) == text


@pytest.mark.parametrize(
    ("line", "key", "text"),
    [
        (7, "a.b", "f.yaml:7: a.b: it is wrong. Mend it."),
        (7, "", "f.yaml:7: it is wrong. Mend it."),
        (0, "", "f.yaml: it is wrong. Mend it."),
    ],
)
def test_a_problem_reads_as_one_line(line: int, key: str, text: str) -> None:
    problem = ConfigProblem(Path("f.yaml"), line, 1, key, "it is wrong", "mend it")
    assert str(problem) == text


def test_an_error_holds_all_problems() -> None:
    problem = ConfigProblem(Path("f"), 1, 1, "", "a", "b")
    error = ConfigError(iter([problem, problem]))
    assert error.problems == (problem, problem)
    assert str(error).count("\n") == 1
