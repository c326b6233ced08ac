import pytest

torch = pytest.importorskip("torch")

from forensics.errors import UsageError  # noqa: E402
from generator.models import (  # noqa: E402
    SwapperConfig,
    create_model,
    list_models,
    model_config,
    model_info,
    model_summary,
    register_model,
)

REFERENCE = [
    ("encoder.down.0", "Conv(5,2,128)", (128, 32, 32)),
    ("encoder.down.2", "Conv(5,2,256)", (256, 16, 16)),
    ("encoder.down.4", "Conv(5,2,512)", (512, 8, 8)),
    ("encoder.down.6", "Conv(5,2,1024)", (1024, 4, 4)),
    ("encoder.squeeze", "Linear(1024)", (1024,)),
    ("encoder.expand", "Linear(16384)", (16384,)),
    ("encoder.up.0", "Conv(3,1,2048)", (2048, 4, 4)),
    ("decoders.0.face.0.0", "Conv(3,1,1024)", (1024, 8, 8)),
    ("decoders.0.face.1.0", "Conv(3,1,512)", (512, 16, 16)),
    ("decoders.0.face.2.0", "Conv(3,1,256)", (256, 32, 32)),
    ("decoders.0.face.3", "Conv(5,1,3)", (3, 64, 64)),
]


def test_the_reference_has_the_layers_and_parameters_of_its_description() -> None:
    info = model_info("shared-dual")
    encoder_and_one = [x for x in info.layers if not x.name.startswith("decoders.1.")]
    assert [(x.name, x.kind, x.output) for x in encoder_and_one] == REFERENCE
    assert [x.kind for x in info.layers[-4:]] == [kind for _, kind, _ in REFERENCE[-4:]]
    assert info.parameters == 82_062_470
    assert info.encoder_parameters == 69_662_976
    assert info.decoder_parameters == 6_199_747
    assert sum(x.parameters for x in info.layers) == info.parameters


def test_every_model_of_the_family_is_there_and_says_what_it_is() -> None:
    wanted = {"shared-dual", "plain", "naive-shared", "light", "tiny", "masked", "128", "toy"}
    assert wanted <= set(list_models())
    assert all(model_summary(name).endswith(".") for name in list_models())
    assert model_info("tiny").parameters == pytest.approx(5.1e6, rel=0.01)


@pytest.mark.parametrize("like", [None, "tiny"])
def test_the_control_has_one_decoder_for_two_people(like: str | None) -> None:
    config = model_config("naive-shared", like=like)
    assert (config.identities, config.decoders) == (2, 1)
    assert config.channels == (SwapperConfig() if like is None else model_config("tiny")).channels


def test_naive_swap_is_its_own_reconstruction_and_shared_dual_is_not() -> None:
    faces = torch.rand(2, 3, 16, 16)
    naive = create_model("naive-shared", like="toy")
    assert torch.equal(naive(faces, 0), naive(faces, 1))
    dual = create_model("toy")
    assert not torch.equal(dual(faces, 0), dual(faces, 1))


@pytest.mark.parametrize("mask", [False, True])
def test_one_pass_over_both_people_equals_two(mask: bool) -> None:
    model = create_model("toy", seed=3, mask=mask)
    a, b = torch.rand(2, 3, 16, 16), torch.rand(3, 3, 16, 16)
    together = model.step([a, b], [0, 1])
    assert together[0].shape == (2, 5 if mask else 3, 16, 16)
    torch.testing.assert_close(together[0][:, :4], model(a, 0))
    torch.testing.assert_close(together[1][:, :4], model(b, 1))
    if mask:  # each branch learns from the other person's faces too
        torch.testing.assert_close(together[0][:, 4:], model(a, 1)[:, 3:])
        torch.testing.assert_close(together[1][:, 4:], model(b, 0)[:, 3:])
    assert all(bool(((x >= 0) & (x <= 1)).all()) for x in together)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    one, two = create_model("toy", seed=5), create_model("toy", seed=5)
    assert torch.equal(before, torch.get_rng_state())
    for left, right in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(left, right)
    other = create_model("toy", seed=6)
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_upscaling_starts_without_a_chequerboard() -> None:
    up = create_model("toy").encoder.up
    picture = up(torch.rand(1, 8, 4, 4))
    torch.testing.assert_close(picture[..., 0::2, 0::2], picture[..., 1::2, 1::2])


@pytest.mark.parametrize(
    "broken", [{"decoder": (8, 8)}, {"code": 7}, {"decoders": 3}, {"colour": "blue"}]
)
def test_numbers_that_do_not_fit_together_are_refused(broken: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="toy"):
        model_config("toy", **broken)


def test_unknown_and_doubled_names_are_refused() -> None:
    with pytest.raises(UsageError, match="tiny"):
        model_config("huge")
    with pytest.raises(ValueError, match="twice"):
        register_model(SwapperConfig, name="tiny")
