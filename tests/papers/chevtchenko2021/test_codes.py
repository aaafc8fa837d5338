"""Pictures and codes made of them: the same for the same picture, one for each cell; what cannot be read is said in one line."""

import jax
import numpy as np
import pytest
from PIL import Image

from spikeloop.environments import ImageMaze
from spikeloop.errors import InvalidInput
from spikeloop.papers.chevtchenko2021 import BinaryNetworkCodes, PictureFolder, SyntheticPictures
from spikeloop.papers.chevtchenko2021.codes import PRETRAINED_ON

MAZE = ImageMaze(code=BinaryNetworkCodes())


@pytest.fixture
def folder(tmp_path):
    """Four pictures of other sizes and kinds, and a file that is none."""
    drawn = SyntheticPictures(seed=3)(4)
    for name, picture in zip(("d.png", "b.PNG", "a.bmp", "c.png"), drawn, strict=True):
        Image.fromarray(picture).save(tmp_path / name)
    Image.fromarray(drawn[3]).resize((90, 30)).convert("L").save(tmp_path / "c.png")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_every_cell_has_a_code_of_its_own_the_same_each_time():
    codes = MAZE.codes()
    assert codes.shape == (10, 10, 128) and set(np.unique(codes)) == {0.0, 1.0}
    assert len(np.unique(codes.reshape(100, 128), axis=0)) == 100
    np.testing.assert_array_equal(BinaryNetworkCodes()(10, 10), codes)
    assert (BinaryNetworkCodes(SyntheticPictures(seed=1))(10, 10) != codes).any()


def test_what_the_maze_shows_is_the_code_and_is_not_computed_at_a_step():
    """Also when the first to ask is a program that is being traced."""
    maze = ImageMaze(layout=("S.", "#T"), code=BinaryNetworkCodes(SyntheticPictures(seed=11)))
    state, obs = jax.jit(maze.reset)(jax.random.key(0))
    np.testing.assert_array_equal(obs, maze.codes()[0, 0])
    program = str(jax.make_jaxpr(maze.step)(state, jax.numpy.asarray(5), jax.random.key(0)))
    assert "conv" not in program.replace("convert", "") and "dot_general" not in program
    assert maze.codes() is maze.codes()


def test_synthetic_pictures_are_each_their_own_and_none_hangs_where_it_was_trained_on():
    drawn, trained_on = SyntheticPictures()(100), PRETRAINED_ON(100)
    assert drawn.dtype == np.uint8 and drawn.shape == (100, 64, 64, 3)
    assert len(np.unique(np.concatenate([drawn, trained_on]).reshape(200, -1), axis=0)) == 200
    np.testing.assert_array_equal(SyntheticPictures()(3), drawn[:3])


def test_the_spectrum_of_synthetic_pictures_falls_as_that_of_photographs():
    """Power falls with the frequency to a power near 2 (Field 1987)."""
    grey = SyntheticPictures(seed=5)(60).mean(axis=-1)
    power = (np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    band = (frequency > 1.5 / 64) & (frequency < 0.5)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert -2.6 < slope < -1.6


def test_a_folder_is_read_by_name(folder):
    pictures = PictureFolder(str(folder))(4)
    drawn = SyntheticPictures(seed=3)(4)
    np.testing.assert_array_equal(pictures[[0, 1, 3]], drawn[[2, 1, 0]])
    assert (pictures[2][..., :1] == pictures[2]).all()  # it was grey
    maze = ImageMaze(layout=("ST", "S#"), code=BinaryNetworkCodes(PictureFolder(str(folder))))
    assert len(np.unique(maze.codes().reshape(4, 128), axis=0)) == 4


def test_a_folder_that_will_not_do_is_refused_in_one_line(folder):
    (folder / "a.bmp").write_bytes(b"BM, but then nothing of the kind")
    mistakes = {
        "holds 4 pictures, and 100 are needed": lambda: PictureFolder(str(folder))(100),
        r"cannot read .*a\.bmp as a picture": lambda: PictureFolder(str(folder))(4),
        "cannot read the folder 'nowhere at all'": lambda: PictureFolder("nowhere at all")(1),
        r"PictureFolder\.folder must be the name of a folder": lambda: PictureFolder(""),
        r"BinaryNetworkCodes\.weights must be": lambda: BinaryNetworkCodes(weights=""),
        "does not exist": lambda: ImageMaze(code=BinaryNetworkCodes(weights="no.safetensors")).codes(),
    }
    for message, mistake in mistakes.items():
        with pytest.raises(InvalidInput, match=message) as caught:
            mistake()
        assert "\n" not in str(caught.value)
