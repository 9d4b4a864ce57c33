"""`neuroloop plot`, `neuroloop report` and `run --tensorboard`, as a user meets them."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from neuroloop import checkpoint

Cli = Callable[..., Any]
VOID = {"meta", "img", "br"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run is kept that all tests share."""
    return tmp_path_factory.mktemp("kept") / "one"


@pytest.fixture
def run(cli: Cli, kept: Path) -> Path:
    """The folder of a run, with its recording."""
    if not kept.exists():
        command = (
            "run",
            "cartpole",
            "--steps",
            80,
            "--seed",
            2,
            "--save",
            "one/checkpoint.zip",
            "--record",
            "one/run.mcap",
        )
        assert cli(*command).code == 0
        Path("one").rename(kept)
    shutil.copytree(kept, "one")
    return Path("one")


def test_all_that_a_run_permits_is_drawn_beside_it(cli: Cli, run: Path) -> None:
    done = cli("plot", run)
    assert done.code == 0
    drawn = {path.stem for path in run.glob("*.pdf")}
    assert drawn == {"learning", "weights", "raster", "signals", "trajectory"}
    assert "not drawn: timing: one/run.mcap: holds no timing" in done.out
    assert all(path.read_bytes().startswith(b"%PDF") for path in run.glob("*.pdf"))


def test_json_says_where_figures_are_and_why_others_are_not(cli: Cli, run: Path) -> None:
    told = json.loads(cli("plot", run / "checkpoint.zip", "--format", "svg", "--out", "figures", "--json").out)
    assert told["figures"] == {name: f"figures/checkpoint-{name}.svg" for name in told["figures"]}
    assert list(told["figures"]) == [
        "learning",
        "weights",
        "raster",
        "signals",
        "trajectory",
    ]  # the report names the recording
    assert list(told["missing"]) == ["timing"]


def test_a_file_without_spikes_is_named(cli: Cli) -> None:
    cli("run", "random", "--env", "CartPole-v1", "--steps", 30, "--record", "quiet.mcap", "--save", "a.zip")
    done = cli("plot", "quiet.mcap", "--what", "raster")
    assert (done.code, done.err) == (2, "neuroloop: quiet.mcap: a raster needs spikes, and there are none\n")


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_one_figure_goes_where_it_is_wanted(cli: Cli, run: Path, ending: str) -> None:
    out = Path("deep") / f"fig.{ending}"
    done = cli(
        "plot", run / "run.mcap", "--what", "signals", "--of", "value,reward", "--from", 10, "--to", 50, "--out", out
    )
    assert (done.code, done.out.split()) == (0, ["signals", str(out)])
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--what", "rastr"], "--what: unknown figure 'rastr': did you mean 'raster'?"),
        (["--what", "signals", "--of", "valu"], "neuroloop: --of: unknown signal 'valu': did you mean 'value'?"),
        (["--what", "raster", "--of", "moter"], "neuroloop: --of: unknown input or population 'moter'"),
        (["--what", "signals", "--from", 50, "--to", 20], "neuroloop: --to: must be at least 51, got 20"),
        (["--what", "timing", "--from", -1], "--from: must be at least 0, got -1"),
        (["--what", "timing"], "one/run.mcap: holds no timing: only a run in real time has one"),
        (["--what", "raster", "--from", 500], "one/run.mcap: no control step from 500 to 550 is recorded"),
        (["--what", "raster", "--to", 0], "--to: must be at least 1"),
        (["--what", "raster", "--out", "a.jpg"], "a figure ends in .pdf, .svg, .png, got a.jpg"),
        (["--out", "a.pdf"], "a.pdf holds one figure; name it with --what"),
        (["--of", "value"], "go with one figure; name it with --what"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_left(
    cli: Cli, run: Path, arguments: list[Any], words: str
) -> None:
    before = sorted(Path().rglob("*"))
    done = cli("plot", run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.mcap", "nowhere.mcap: no such file"),
        (".", ".: holds no run"),
        ("odd_world.py", "expected a recording (.mcap), a checkpoint (.zip), or the folder of a run"),
        ("bad.mcap", "bad.mcap: is not an MCAP file"),
        ("bad.zip", "bad.zip: not a neuroloop checkpoint"),
    ],
)
@pytest.mark.parametrize("verb", ["plot", "report"])
def test_files_that_are_none_of_ours_are_said(cli: Cli, verb: str, name: str, words: str) -> None:
    for bad in ("bad.mcap", "bad.zip"):
        Path(bad).write_text("nothing of ours")
    if name == ".":
        Path("bad.mcap").unlink()
        Path("bad.zip").unlink()
    done = cli(verb, name)
    assert done.code == 2
    assert words in done.err


def test_without_matplotlib_the_extra_is_named(cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("neuroloop.view.p")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for verb in ("plot", "report"):
        done = cli(verb, run)
        assert (done.code, 'pip install "neuroloop[plot]"' in done.err) == (2, True)


def test_ctrl_c_leaves_no_half_figure(cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroloop.view.plots.style import Printed

    def interrupted(self: object, file: IO[bytes], **_: object) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Printed, "savefig", interrupted)
    before = sorted(run.iterdir())
    assert cli("plot", run, "--what", "learning").code == 130
    assert sorted(run.iterdir()) == before


class Page(html.parser.HTMLParser):
    """Tags must close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


def test_a_page_tells_what_ran_and_what_came_of_it_and_needs_nothing_else(cli: Cli, run: Path) -> None:
    done = cli("report", run)
    assert (done.code, done.out) == (0, "one/report.html\n")
    page = read(run / "report.html")
    assert len(page.sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert not re.search(r"url\(|@import|https?://|<script", (run / "report.html").read_text())
    report = json.loads((run / "report.json").read_text())
    for words in (
        "cartpole on CartPole-v1", f"mean of the last 100 returns {report['mean_return_100']:.1f}", report["command"],
        f"numpy {report['versions']['numpy']}", report["machine"]["cpu"], "tau_mem = 0.02",
    ):  # fmt: skip
        assert words in page.text


def test_what_stands_in_files_cannot_become_part_of_the_page(cli: Cli, run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    evil = "<script>alert('x')</script><img src=x onerror=y>&\""
    (run / "report.json").write_text(json.dumps(report | {"agent": evil, "command": evil, "versions": {evil: evil}}))
    assert cli("report", run, "--out", "page.html").code == 0
    page = read(Path("page.html"))
    assert page.text.count(evil) >= 4
    assert len(page.sources) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no report of a run"),
        ("[1]", "expected an object, got list"),
        ('{"timing": {"late_us": 3}}', "timing: is not as `run` writes it"),
    ],
)
def test_a_report_that_is_none_is_said(cli: Cli, run: Path, text: str, words: str) -> None:
    (run / "report.json").write_text(text)
    done = cli("report", run)
    assert done.code == 2
    assert words in done.err
    assert not (run / "report.html").exists()


def test_a_recording_alone_has_a_page(cli: Cli, run: Path) -> None:
    assert cli("report", run / "run.mcap").code == 0
    page = read(run / "run.html")
    assert "what became of the run is not known" in page.text
    assert "cartpole on CartPole-v1" in page.text


def test_a_page_of_several_runs_or_with_another_ending_is_said(cli: Cli, run: Path) -> None:
    Path("more/two").mkdir(parents=True)
    for name in ("more/one", "more/two"):
        Path(name).mkdir(exist_ok=True)
        (Path(name) / "checkpoint.zip").write_bytes((run / "checkpoint.zip").read_bytes())
    assert "holds 2 runs; name the folder of one" in cli("report", "more").err
    assert "a page ends in .html" in cli("report", run, "--out", "page.pdf").err


def test_a_run_leaves_its_report_beside_its_checkpoint(cli: Cli) -> None:
    done = cli("run", "random", "--env", "CartPole-v1", "--steps", 100, "--json")
    (left,) = Path("recordings").rglob("report.json")
    assert json.loads(left.read_text()) == json.loads(done.out)
    cli("run", "random", "--env", "CartPole-v1", "--steps", 100, "--save", "named.zip")
    assert json.loads(Path("named.json").read_text())["checkpoint"] == "named.zip"


def test_a_run_writes_scalars_into_a_folder_of_its_own(cli: Cli) -> None:
    pytest.importorskip("tensorboardX.proto", exc_type=ImportError)
    done = cli("run", "random", "--env", "CartPole-v1", "--steps", 100, "--tensorboard", "logs")
    assert done.code == 0
    (file,) = Path("logs").glob("random-seed0-*/events.out.tfevents.*")
    assert b"rollout/ep_rew_mean" in file.read_bytes()
    assert done.out.rstrip().endswith("--tensorboard logs")


def test_a_place_for_scalars_that_cannot_be_is_said_before_the_run(cli: Cli) -> None:
    Path("logs").touch()
    done = cli("run", "random", "--env", "CartPole-v1", "--steps", 100, "--tensorboard", "logs", "--save", "a.zip")
    assert done.code == 2
    assert "cannot be written" in done.err
    assert not Path("a.zip").exists()


def test_returns_in_a_checkpoint_without_lengths_are_said(cli: Cli, run: Path) -> None:
    saved = checkpoint.read(run / "checkpoint.zip")
    arrays = {name: array for name, array in saved.arrays.items() if name != "lengths"}
    checkpoint.write(Path("odd.zip"), saved._replace(arrays=arrays))
    done = cli("plot", "odd.zip", "--what", "learning")
    assert (done.code, "array 'lengths' is missing" in done.err) == (2, True)
