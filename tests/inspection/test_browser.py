"""The page in a real browser: clicks, keys, scrubbing; and what it shows is what was recorded."""

import itertools
import json
from collections.abc import Iterator

import numpy as np
import pytest
from tests.inspection.browser import Browser, found

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium on the PATH to open the page with")
READY = "document.documentElement.classList.contains('ready')"


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory) -> Iterator[Browser]:
    """The page, opened from disk."""
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.view(1280, 900)
        browser.open(page.as_uri())
        browser.until(READY)
        yield browser
        assert browser.problems == []
        assert {request.split(":")[0] for request in browser.requests} <= {"file", "data", "blob"}


@pytest.fixture
def tab(opened):
    """The page at the start of the episode."""
    opened.run("inspection.clock.pause(), inspection.clock.go(0), document.activeElement.blur()")
    return opened


def at(tab) -> int:
    return tab.run("inspection.clock.at")


def test_names_run_nothing(tab):
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert "alert(1)" in tab.run("document.querySelector('h1').textContent")


def test_spikes_evidence_and_world_are_what_was_recorded(tab, inspection):
    recording = inspection.recording
    for place, spikes in enumerate(recording.spikes):
        starts, times = (
            json.loads(tab.run(f"JSON.stringify([...inspection.model.populations[{place}].trains.{name}])"))
            for name in ("starts", "times")
        )
        rows = spikes.reshape(-1, spikes.shape[2]).T > 0
        assert [times[a:b] for a, b in itertools.pairwise(starts)] == [np.flatnonzero(row).tolist() for row in rows]
    evidence = np.asarray(tab.run("inspection.model.evidence.map((values) => [...values])"))
    np.testing.assert_allclose(evidence, recording.evidence.reshape(-1, 2).T, atol=1e-3 * np.ptp(recording.evidence))
    potential = tab.run("[...inspection.model.populations[0].membrane(3)]")
    recorded = recording.membranes[0][:, :, 3].ravel()
    np.testing.assert_allclose(potential, recorded, atol=0.01 * np.ptp(recorded) + 1e-6)
    assert tab.run("[...inspection.model.actions]") == recording.actions.tolist()


def test_the_raster_shows_a_spike_where_there_is_one(tab, inspection):
    """Pixels of the canvas, at the middle of every tick of the busiest neuron."""
    spikes = inspection.recording.spikes[0]
    neuron = int(spikes.sum((0, 1)).argmax())
    train = spikes.reshape(-1, spikes.shape[2])[:, neuron]
    script = f"""(() => {{
      const canvas = document.querySelector('canvas[data-population="0"]');
      const {{ start, end }} = inspection.lanes.view;
      const context = canvas.getContext('2d'), rows = {spikes.shape[2]};
      const y = Math.floor(({neuron} + 0.4) * canvas.height / rows);
      const line = context.getImageData(0, y, canvas.width, 1).data;
      return Array.from({{ length: end - start }}, (_, i) => {{
        const x = Math.floor((i + 0.4) * canvas.width / (end - start));
        return [...line.slice(4 * x, 4 * x + 3)];
      }});
    }})()"""
    colours = tab.run(script)
    assert train.sum() > 0
    for colour, fired in zip(colours, train, strict=False):
        assert (colour == [0, 114, 178]) == bool(fired)  # the population's blue


def test_buttons_and_keys_move_the_cursor(tab, inspection):
    ticks, end = inspection.recording.ticks, inspection.recording.decisions * inspection.recording.ticks
    tab.click_on("#forward")
    assert at(tab) == ticks
    tab.key("ArrowRight", 39)
    tab.key("ArrowRight", 39, modifiers=8)  # with shift: a tick
    assert at(tab) == 2 * ticks + 1
    tab.key("ArrowLeft", 37)
    assert at(tab) == 2 * ticks  # the start of the decision first
    tab.key("End", 35)
    assert at(tab) == end and "the end" in tab.run("document.getElementById('clock').textContent")
    assert tab.run("document.getElementById('scene').getAttribute('aria-label')").endswith(
        f"return {inspection.recording.total_return:g}"
    )
    tab.key("Home", 36)
    assert at(tab) == 0
    assert tab.run("getComputedStyle(document.getElementById('cursor')).transform").endswith("104, 0)")


def test_space_plays_to_the_end_and_pauses(tab, inspection):
    tab.run(
        "document.getElementById('speed').value = 50, document.getElementById('speed').dispatchEvent(new Event('change'))"
    )
    tab.key(" ", 32)
    tab.until("inspection.clock.at > 2")
    tab.key(" ", 32)
    stopped = at(tab)
    assert tab.run("document.getElementById('play').getAttribute('aria-pressed')") == "false"
    assert at(tab) == stopped
    tab.click_on("#play")
    tab.until("inspection.clock.at === inspection.clock.end")
    assert not tab.run("inspection.clock.playing")


def test_slider_overview_and_lanes_scrub(tab, inspection):
    end = inspection.recording.decisions * inspection.recording.ticks
    tab.run(
        "(() => { const s = document.getElementById('scrub'); s.value = 7; s.dispatchEvent(new Event('input')); })()"
    )
    assert at(tab) == 7
    tab.click_on("#overview", across=0.5)
    assert abs(at(tab) - end / 2) <= 1
    tab.run("inspection.clock.go(0)")
    tab.click_on("canvas[data-population='0']", across=0.5, down=0.01)
    view = inspection.recording.ticks * min(40, inspection.recording.decisions)
    assert abs(at(tab) - view / 2) <= 1


def test_a_click_on_a_row_follows_its_neuron(tab):
    tab.click_on("canvas[data-population='1']", across=0.3, down=0.5 / 6)
    assert tab.run("[inspection.choice.population, inspection.choice.neuron]") == [1, 0]
    assert "hidden 2, neuron 1" in tab.run("document.getElementById('about-neuron').textContent")
    assert any(
        "hidden 2 1" in name for name in tab.run("[...document.querySelectorAll('.chip')].map((c) => c.textContent)")
    )


def test_a_click_on_a_node_tells_of_its_neuron(tab, inspection):
    box = tab.run(
        "(() => { const c = document.getElementById('graph'); c.scrollIntoView({ block: 'center', behavior: 'instant' });"
        "const b = c.getBoundingClientRect(), p = inspection.graph.places[inspection.model.populations[0].node];"
        "return [b.left + p.xs[4], b.top + p.ys[4]]; })()"
    )
    tab.click(*box)
    assert tab.run("[inspection.choice.population, inspection.choice.neuron]") == [0, 4]
    told = tab.run("document.getElementById('about-neuron').textContent")
    count = int(inspection.recording.spikes[0][:, :, 4].sum())
    assert told.startswith(f"hidden 1, neuron 5{count} spikes")
    lesion = next(
        (i for i, one in enumerate(inspection.lesions.lesions) if one.population == 0 and 4 in one.neurons), None
    )
    assert ("never fired" in told) == (lesion is None)
    weights = np.asarray(inspection.wiring.edges[0].weights)[:, 4]
    strongest = int(np.abs(weights).argmax())
    listed = tab.run("document.querySelector('#inputs-of .weight').textContent")
    assert listed.startswith(("position", "velocity", "angle", "angular velocity")[strongest])


def test_arrow_keys_walk_through_the_graph(tab):
    tab.run("inspection.choice.choose(0, 4), document.getElementById('graph').focus()")
    tab.key("ArrowDown", 40)
    tab.key("ArrowRight", 39)
    assert tab.run("[inspection.choice.population, inspection.choice.neuron]") == [1, 5]
    assert at(tab) == 0  # the episode stays where it is


def test_lights_are_on_where_neurons_fire(tab, inspection):
    spikes = inspection.recording.spikes[0]
    decision, tick, neuron = (int(place[0]) for place in np.nonzero(spikes))
    moment = decision * inspection.recording.ticks + tick
    glow = f"inspection.model.populations[0].glow({neuron}, {moment}, {inspection.recording.ticks})"
    assert tab.run(glow) == 1
    silent = int((spikes.sum((0, 1)) == 0).argmax())
    assert tab.run(glow.replace(f"glow({neuron}", f"glow({silent}")) == 0


def test_tuning_follows_the_chosen_variables(tab):
    def choose(select, value):
        change = "s.dispatchEvent(new Event('change'))"
        tab.run(f"(() => {{ const s = document.getElementById('{select}'); s.value = {value}; {change}; }})()")
        return tab.run("document.getElementById('tuning').toDataURL()")

    choose("across", 0)
    assert choose("upward", 1) != choose("upward", 2)
    choose("across", 2)
    assert "two different variables" in tab.run("document.getElementById('tuningnote').textContent")
    choose("across", 0)
    assert "two different" not in tab.run("document.getElementById('tuningnote').textContent")


def test_it_fits_narrow_and_dark_views_and_paper(tab, tmp_path):
    for width, dark in ((1280, False), (390, True)):
        tab.view(width, 800, dark)
        assert tab.run("document.documentElement.scrollWidth") <= width
        picture = tab.screenshot(tmp_path / f"{width}.png")
        assert picture.startswith(b"\x89PNG") and len(picture) > 10_000
    background = tab.run("getComputedStyle(document.body).backgroundColor")
    tab.view(1280, 900)
    assert tab.run("getComputedStyle(document.body).backgroundColor") != background
    assert tab("Page.printToPDF", printBackground=True)["data"].startswith("JVBERi0")  # %PDF-


def test_a_page_that_is_cut_short_says_so_in_one_line(page, tmp_path, tmp_path_factory):
    cut = tmp_path / "cut.html"
    text = page.read_text()
    place = text.index('id="arrays">') + 40
    cut.write_text(text[:place] + text[text.index("</script>", place) :])
    with Browser(tmp_path_factory.mktemp("other")) as browser:
        browser.open(cut.as_uri())
        browser.until("!document.getElementById('failure').hidden")
        assert "could not be drawn" in browser.run("document.getElementById('failure').textContent")
