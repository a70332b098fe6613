"""Changes of images keep what they should keep, and follow their generator alone."""

import torch

from ann2snn.ann.augmentation import Augmentation, cut_out, flipped, rotated, shifted
from ann2snn.ann.batches import Batches
from ann2snn.ann.settings import AnnSettings


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 400) -> torch.Tensor:
    return torch.rand(count, 2, 7, 9, generator=generator(9))


def test_half_of_the_images_are_mirrored_and_the_rest_left() -> None:
    changed, own = flipped(images(), generator()), images()
    same = (changed == own).flatten(1).all(1)
    mirrored = (changed == own.flip(3)).flatten(1).all(1)
    assert bool((same | mirrored).all())
    assert 150 < int(mirrored.sum()) < 250


def test_a_shift_moves_whole_images_by_at_most_its_reach_and_fills_with_zeros() -> None:
    dots = torch.zeros(500, 1, 7, 9)
    dots[:, 0, 3, 4] = 1
    moved = shifted(dots, 2, generator()).nonzero()[:, 2:]
    assert len(moved) == 500
    assert set(moved[:, 0].tolist()) == {1, 2, 3, 4, 5}
    assert set(moved[:, 1].tolist()) == {2, 3, 4, 5, 6}
    assert (shifted(torch.ones(50, 1, 7, 9), 6, generator()) == 0).any()


def test_a_turn_keeps_the_centre_and_no_turn_keeps_everything() -> None:
    dots = torch.zeros(20, 1, 7, 9)
    dots[:, 0, 3, 4] = 1
    assert torch.allclose(rotated(dots, 45.0, generator())[:, 0, 3, 4], torch.ones(20), atol=1e-5)
    still = rotated(images(5), 1e-7, generator())
    assert torch.allclose(still, images(5), atol=1e-4)


def test_a_square_of_the_given_side_is_blotted_out_in_the_given_colour() -> None:
    colour = torch.tensor([5.0, 6.0])
    changed = cut_out(torch.zeros(300, 2, 7, 9), 3, colour, generator())
    blotted = (changed == colour.view(1, 2, 1, 1)).all(1).sum((1, 2))
    assert int(blotted.max()) == 9
    assert int(blotted.min()) >= 4


def test_the_same_generator_gives_the_same_images() -> None:
    for change in (flipped, lambda i, g: shifted(i, 2, g), lambda i, g: rotated(i, 9.0, g)):
        assert torch.equal(change(images(), generator(3)), change(images(), generator(3)))


def test_alternating_flips_show_every_image_both_ways_in_two_epochs() -> None:
    settings = AnnSettings(flip=True, flips="alternating")
    pixels = torch.arange(40 * 6, dtype=torch.uint8).view(40, 1, 2, 3)
    augmentation = Augmentation.of(settings, torch.zeros(1))
    seen: list[dict[int, torch.Tensor]] = []
    for epoch in range(3):
        batches = Batches(pixels, torch.arange(40), 1, 4, augmentation, False, 5, epoch)
        seen.append(
            {int(n): image for some, ns in batches for image, n in zip(some, ns, strict=True)}
        )
    for number in range(40):
        assert torch.equal(seen[1][number], seen[0][number].flip(2))
        assert torch.equal(seen[2][number], seen[0][number])
    mirrored = sum(torch.equal(seen[0][n], pixels[n].float().flip(2)) for n in range(40))
    assert 10 < mirrored < 30


def test_a_mirrored_border_moves_in_instead_of_zeros() -> None:
    moved = shifted(images() + 1, 2, generator(), mirrored=True)
    assert float(moved.min()) >= 1
    zeros = shifted(images() + 1, 2, generator())
    inside = (zeros != 0).all(1, keepdim=True).expand_as(zeros)
    assert torch.equal(moved[inside], zeros[inside])
