import pytest
import torch
from diffusers import EulerDiscreteScheduler
from torch import Tensor

from trainer.noise_schedule import noise_schedule
from trainer.sampler import cell_noise, ddim_timesteps, euler_sigmas, guided, sample_latents

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
    drawn = sample_latents(sampler, _towards(clean), cell_noise([1, 2], 64, 64), ALPHAS, 20)
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

    def __call__(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        self.batches.append(len(x))
        assert time.shape == (len(x),)
        return x * 0 + context.mean(dim=(1, 2))[:, None, None, None]


def test_guidance_moves_away_from_the_negative_prompt_in_one_call() -> None:
    unet = _Unet()
    context, negative = torch.tensor([2.0, 5.0]), torch.tensor([1.0, 3.0])
    wide = [part[:, None, None].expand(2, 77, 4) for part in (context, negative)]
    denoise = guided(unet, *wide, 3.0)  # type: ignore[arg-type]
    found = denoise(torch.zeros(2, 4, 8, 8), 10)
    assert unet.batches == [4]
    assert found[:, 0, 0, 0].tolist() == pytest.approx([1 + 3 * 1, 3 + 3 * 2])
