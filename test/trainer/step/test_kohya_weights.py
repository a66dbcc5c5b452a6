"""What sd-scripts does to noise, losses and tags beside the usual, against its formulas."""

import torch

from some_settings import some_settings
from trainer.dataset.captions import is_fixed, training_caption
from trainer.step.loss import sample_weights
from trainer.step.noise import draw_noise

ALPHAS = torch.tensor([0.9991, 0.5, 0.0047])


def test_a_v_loss_is_scaled_like_the_noises_and_only_for_a_v_model() -> None:
    settings = some_settings(scale_v_pred_loss_like_noise_pred=True)
    snr = (ALPHAS / (1 - ALPHAS)).clamp(max=1000)
    weights = sample_weights(settings, "v", ALPHAS)
    assert weights is not None and torch.allclose(weights, snr / (snr + 1))
    assert sample_weights(settings, "epsilon", ALPHAS) is None


def test_a_loss_like_that_of_v_is_added_and_only_for_an_epsilon_model() -> None:
    settings = some_settings(v_pred_like_loss=0.5, min_snr_gamma=5.0)
    snr = ALPHAS / (1 - ALPHAS)
    least, bounded = snr.clamp(max=5) / snr, snr.clamp(max=1000)
    weights = sample_weights(settings, "epsilon", ALPHAS)
    assert weights is not None and torch.allclose(weights, least + least / (bounded / (bounded + 1)) * 0.5)
    alone = sample_weights(some_settings(min_snr_gamma=5.0), "v", ALPHAS)
    again = sample_weights(settings, "v", ALPHAS)
    assert alone is not None and again is not None and torch.equal(alone, again)


def test_the_noise_offset_grows_with_a_channels_mean() -> None:
    clean = torch.stack([torch.full((4, 8, 8), value) for value in (0.0, -2.0)])
    noise = [
        draw_noise(some_settings(noise_offset=offset, adaptive_noise_scale=scale), (3,), clean).target
        for offset, scale in ((0.0, 0.0), (0.1, 0.0), (0.1, 0.05), (0.1, -0.1))
    ]
    plain, offset, adaptive, shrunk = noise
    assert torch.allclose(adaptive[0], offset[0]) and torch.allclose(shrunk[1], plain[1])
    assert torch.allclose(adaptive[1] - plain[1], 2 * (offset[1] - plain[1]), atol=1e-5)


def test_tags_come_in_one_by_one() -> None:
    settings = some_settings(token_warmup_step=10.0, token_warmup_min=1, keep_tokens=1)
    seen = [
        training_caption("zorp, a, b, c, d, e", settings, epoch=1, seed=1, step=step, total=100)
        for step in (0, 4, 9, 10)
    ]
    assert seen == ["zorp, a", "zorp, a, b", "zorp, a, b, c, d", "zorp, a, b, c, d, e"]
    share = some_settings(token_warmup_step=0.1, keep_tokens=1)
    assert training_caption("zorp, a, b", share, epoch=1, seed=1, step=0, total=100) == "zorp, a"
    assert not is_fixed(settings)
