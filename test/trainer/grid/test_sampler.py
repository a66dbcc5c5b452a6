import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from torch import Tensor

from trainer.grid.sampler import (
    NoiseModel,
    cell_noise,
    clean_and_noise,
    ddim_timesteps,
    euler_sigmas,
    guided,
    sample_latents,
    trailing_timesteps,
)
from trainer.model.noise_schedule import noise_schedule

ALPHAS = noise_schedule()


def _towards(clean: Tensor) -> object:
    """The exact noise prediction for a data set of one picture."""

    def denoise(x: Tensor, time: float) -> Tensor:
        low, high = int(time), min(int(time) + 1, 999)
        sigmas = ((1 - ALPHAS) / ALPHAS).sqrt().log()
        sigma = torch.lerp(sigmas[low], sigmas[high], torch.tensor(time - low, dtype=torch.float64)).exp()
        alpha = 1 / (sigma**2 + 1)
        return ((x - alpha.sqrt() * clean) / (1 - alpha).sqrt()).float()

    return denoise


@pytest.mark.parametrize("sampler", ["ddim", "euler"])
def test_a_perfect_prediction_leads_to_the_picture(sampler: str) -> None:
    clean = torch.randn(2, 4, 8, 8)
    drawn = sample_latents(sampler, _towards(clean), cell_noise([1, 2], 64, 64), NoiseModel(ALPHAS), 20)
    # DDIM ends one step above zero noise, as the WebUI's does.
    assert (drawn - clean).abs().max() < (0.2 if sampler == "ddim" else 1e-3)


def test_ddim_visits_the_timesteps_of_the_webui() -> None:
    assert ddim_timesteps(20) == list(range(1, 1000, 50))
    assert ddim_timesteps(12)[:3] == [1, 84, 167]
    assert ddim_timesteps(12)[-1] == 997
    assert ddim_timesteps(1) == [1, 999]
    assert max(ddim_timesteps(150)) <= 999


def test_euler_has_the_sigmas_of_k_diffusion() -> None:
    times, sigmas = euler_sigmas(ALPHAS, 20)
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="linspace"
    )
    scheduler.set_timesteps(20)
    assert torch.allclose(torch.tensor(sigmas), scheduler.sigmas.double().float(), rtol=1e-2)
    assert (times[0], times[-1], sigmas[-1]) == (999, 0, 0)
    assert sigmas[0] == pytest.approx(14.6146, abs=1e-3)
    assert sigmas[-2] == pytest.approx(0.0292, abs=1e-3)


def test_the_noise_of_a_cell_depends_on_its_seed_alone() -> None:
    three = cell_noise([7, 8, 9], 64, 48)
    assert three.shape == (3, 4, 6, 8)
    assert torch.equal(three[1:2], cell_noise([8], 64, 48))
    expected = torch.randn((4, 6, 8), generator=torch.Generator().manual_seed(8))
    assert torch.equal(three[1], expected)


class _Unet:
    dtype = torch.float32

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, x: Tensor, time: Tensor, context: Tensor, vector: Tensor | None) -> Tensor:
        self.batches.append(len(x))
        assert time.shape == (len(x),)
        told = context.mean(dim=(1, 2)) + (0 if vector is None else vector.mean(dim=1))
        return x * 0 + told[:, None, None, None]


def test_guidance_moves_away_from_the_negative_prompt_in_one_call() -> None:
    unet = _Unet()
    context, negative = torch.tensor([2.0, 5.0]), torch.tensor([1.0, 3.0])
    wide = [part[:, None, None].expand(2, 77, 4) for part in (context, negative)]
    denoise = guided(unet, *wide, 3.0)  # type: ignore[arg-type]
    found = denoise(torch.zeros(2, 4, 8, 8), 10)
    assert unet.batches == [4]
    assert found[:, 0, 0, 0].tolist() == pytest.approx([1 + 3 * 1, 3 + 3 * 2])


def test_a_second_condition_goes_along_with_its_prompt() -> None:
    wide = [torch.full((2, 77, 4), value) for value in (2.0, 1.0)]
    vectors = (torch.full((2, 3), 10.0), torch.full((2, 3), 20.0))
    found = guided(_Unet(), *wide, 2.0, vectors)(torch.zeros(2, 4, 8, 8), 10)  # type: ignore[arg-type]
    assert found[:, 0, 0, 0].tolist() == pytest.approx([21 + 2 * (12 - 21)] * 2)
    alone = guided(_Unet(), *wide, 1.0, vectors)(torch.zeros(2, 4, 8, 8), 10)  # type: ignore[arg-type]
    assert alone[:, 0, 0, 0].tolist() == pytest.approx([12.0] * 2)


@pytest.mark.parametrize("zero_snr", [False, True])
@pytest.mark.parametrize("sampler", ["ddim", "euler"])
def test_a_perfect_v_leads_to_the_picture_from_any_kind_of_noise(sampler: str, zero_snr: bool) -> None:
    alphas = noise_schedule(zero_terminal_snr=zero_snr)
    clean = torch.randn(2, 4, 8, 8)

    def denoise(x: Tensor, time: float) -> Tensor:
        low, high = int(time), min(int(time) + 1, 999)
        floored = alphas.clamp(min=4.8973451890853435e-08)
        sigmas = ((1 - floored) / floored).sqrt().log()
        alpha = 1 / (
            torch.lerp(sigmas[low], sigmas[high], torch.tensor(time - low, dtype=torch.float64)).exp() ** 2 + 1
        )
        noise = (x - alpha.sqrt() * clean) / (1 - alpha).sqrt()
        return (alpha.sqrt() * noise - (1 - alpha).sqrt() * clean).float()

    drawn = sample_latents(sampler, denoise, cell_noise([1, 2], 64, 64), NoiseModel(alphas, "v", zero_snr), 20)
    assert (drawn - clean).abs().max() < (0.2 if sampler == "ddim" else 1e-3)


def test_v_and_epsilon_see_the_same_picture() -> None:
    clean, noise, alpha = torch.randn(1, 4, 2, 2), torch.randn(1, 4, 2, 2), 0.3
    x = alpha**0.5 * clean + (1 - alpha) ** 0.5 * noise
    v = alpha**0.5 * noise - (1 - alpha) ** 0.5 * clean
    for prediction, predicted in (("epsilon", noise), ("v", v)):
        found = clean_and_noise(prediction, x, predicted, alpha)
        assert torch.allclose(found[0], clean, atol=1e-5) and torch.allclose(found[1], noise, atol=1e-5)


def test_trailing_steps_begin_at_the_last_timestep_as_diffusers_do() -> None:
    scheduler = DDIMScheduler(timestep_spacing="trailing")
    for steps in (7, 20, 50):
        scheduler.set_timesteps(steps)
        assert trailing_timesteps(steps)[:0:-1] == scheduler.timesteps.tolist()
    assert trailing_timesteps(20)[0] == 0


def test_the_last_timestep_can_be_without_any_signal() -> None:
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True
    )
    found = noise_schedule(zero_terminal_snr=True)
    assert float(found[-1]) == 0 and float(found[0]) == pytest.approx(float(ALPHAS[0]))
    assert torch.allclose(found[:-1].float(), scheduler.alphas_cumprod[:-1].float(), atol=1e-5)
