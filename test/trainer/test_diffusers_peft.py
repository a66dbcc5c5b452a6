"""Against a straightforward training and drawing with diffusers and peft: gradients, and files in both directions."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from peft import LoraConfig, get_peft_model_state_dict  # noqa: TID251
from torch import Tensor, nn
from transformers import CLIPTokenizer

from diffusers_model import DiffusersModel, make_model, write_folder
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.sample import CellRequest, Drawing, decode, draw_pixels
from trainer.grid.sampler import NoiseModel, cell_noise, sample_latents
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.clip_tokenizer import VOCABULARY
from trainer.model.predict import predict, whole_size
from trainer.model.text import encode_tokens, tokenize
from trainer.network.lora_names import named_for, original_name
from trainer.network.lora_weights import LoraWeights
from trainer.network.network import LoraNetwork
from trainer.network.read_lora import read_lora
from trainer.network.targets import lora_targets
from trainer.save.save import save_lora
from trainer.step.loss import target_of

CASES = [("sd1", "epsilon"), ("sd2", "v"), ("sdxl", "epsilon")]
UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
CPU = torch.device("cpu")
RANK, ALPHA = 4, 2.0


def _pair(kind: str, prediction: str, folder: Path) -> tuple[DiffusersModel, BaseModel, int]:
    model = make_model(kind, prediction=prediction)
    clip_skip = 2 if kind == "sdxl" else 1
    base = load_base_model(write_folder(model, folder), device=CPU, dtype=torch.float32, clip_skip=clip_skip)
    assert (base.config.kind, base.prediction) == (kind, prediction)
    return model, base, clip_skip


def _network(base: BaseModel) -> LoraNetwork:
    targets = lora_targets(base.unet, base.text_encoders)
    network = LoraNetwork(targets, dim=RANK, alpha=ALPHA, seed=1, device=CPU, dtype=torch.float32)
    with torch.no_grad():
        for flat in network.flat:
            flat.add_(0.05 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(5)))
    network.refresh()
    return network


def _adapt(model: DiffusersModel, kind: str, weights: LoraWeights) -> dict[str, tuple[Tensor, Tensor]]:
    """peft's layers with our numbers; kohya's name → its two parameters."""
    found: dict[str, tuple[Tensor, Tensor]] = {}
    parts: list[tuple[nn.Module, str, list[str]]] = [(model.unet, "lora_unet_", UNET_LAYERS)]
    prefixes = ["lora_te_"] if len(model.text_encoders) == 1 else ["lora_te1_", "lora_te2_"]
    parts += [(text, prefix, TEXT_LAYERS) for text, prefix in zip(model.text_encoders, prefixes, strict=True)]
    for module, prefix, layers in parts:
        module.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=layers))
        for path, layer in module.named_modules():
            if not hasattr(layer, "lora_A"):
                continue
            path = path.removeprefix("text_model.")
            name = prefix + ("" if prefix == "lora_unet_" else "text_model_") + path.replace(".", "_")
            name = original_name(name, xl=True) if kind == "sdxl" else name
            pair = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            if name in weights.modules:
                with torch.no_grad():
                    pair[0].copy_(weights.modules[name].down.reshape(pair[0].shape))
                    pair[1].copy_(weights.modules[name].up.reshape(pair[1].shape))
                found[name] = pair
    return found


def _ids(tokens: Tensor, kind: str, index: int) -> Tensor:
    ids = tokens[:, 0].clone()
    if kind == "sd2" or index == 1:
        for row in ids:
            row[int((row == 49407).int().argmax()) + 1 :] = 0
    return ids


def _ask(
    model: DiffusersModel, kind: str, tokens: Tensor, x: Tensor, steps: Tensor, sizes: list[tuple[int, ...]]
) -> Tensor:
    """The reference's prediction, with everything computed by diffusers and transformers."""
    outputs = [
        text(_ids(tokens, kind, index), output_hidden_states=True) for index, text in enumerate(model.text_encoders)
    ]
    if kind != "sdxl":
        return model.unet(x, steps, outputs[0].last_hidden_state).sample
    context = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1)
    added = {"text_embeds": outputs[1].text_embeds, "time_ids": torch.tensor(sizes)}
    return model.unet(x, steps, context, added_cond_kwargs=added).sample


@pytest.mark.parametrize(("kind", "prediction"), CASES)
def test_one_step_has_the_gradient_of_diffusers_and_peft(tmp_path: Path, kind: str, prediction: str) -> None:
    model, base, clip_skip = _pair(kind, prediction, tmp_path)
    network = _network(base)
    pairs = _adapt(model, kind, network.weights())
    assert pairs.keys() == network.weights().modules.keys()
    source = torch.Generator().manual_seed(7)
    clean, noise = (torch.randn(2, 4, 8, 8, generator=source) for _ in range(2))
    steps, sizes = torch.tensor([100, 900]), [whole_size(64, 64), (96, 80, 3, 4, 64, 64)]
    alphas = base.alphas_cumprod.float()[steps]
    noisy = model.scheduler.add_noise(clean, noise, steps)
    tokens = tokenize(base, ["a red cat", "zorp"], 75)
    target = model.scheduler.get_velocity(clean, noise, steps) if prediction == "v" else noise
    F.mse_loss(_ask(model, kind, tokens, noisy, steps, sizes), target).backward()
    conditioning = encode_tokens(base, tokens, clip_skip=clip_skip)
    found = predict(base, noisy, steps, conditioning, sizes)
    F.mse_loss(found, target_of(prediction, alphas, noise, clean)).backward()
    mine, theirs = [], []
    weights = network.weights().modules
    for name, layer in network._layers.items():
        for leaf, other in zip(layer.by_hand[0], pairs[name], strict=True):
            assert leaf.grad is not None and other.grad is not None and weights[name].rank == RANK
            mine.append(leaf.grad.flatten())
            theirs.append(other.grad.flatten())
    wanted = torch.cat(theirs)
    assert float((torch.cat(mine) - wanted).norm() / wanted.norm()) < 1e-5


def _pipeline(model: DiffusersModel, kind: str) -> StableDiffusionPipeline | StableDiffusionXLPipeline:
    tokenizer = CLIPTokenizer.from_pretrained(VOCABULARY, local_files_only=True)
    facts = {"vae": model.vae, "unet": model.unet, "scheduler": model.scheduler, "tokenizer": tokenizer}
    if kind == "sdxl":
        first, second = model.text_encoders
        facts |= {"text_encoder": first, "text_encoder_2": second, "tokenizer_2": tokenizer}
        return StableDiffusionXLPipeline(**facts, add_watermarker=False)
    facts |= {"text_encoder": model.text_encoders[0], "safety_checker": None, "feature_extractor": None}
    return StableDiffusionPipeline(**facts, requires_safety_checker=False)


def _draw(base: BaseModel, lora: LoraWeights, clip_skip: int) -> Tensor:
    drawing = Drawing(64, 64, "bad", "euler", 4, 3.0, clip_skip)
    targets = lora_targets(base.unet, base.text_encoders)
    with LoraBatch(targets, [named_for(lora, targets)]) as batch:
        assert batch.unknown == ((),)
        [(_, picture)] = draw_pixels(base, batch, [CellRequest(0, 1.0, "a red cat", 3)], drawing)
    return picture


@torch.no_grad()
def _draw_by_diffusers(model: DiffusersModel, base: BaseModel, kind: str) -> Tensor:
    tokens = tokenize(base, ["bad", "a red cat"], 75)

    def denoise(x: Tensor, time: float) -> Tensor:
        steps, sizes = torch.full((2,), time), [whole_size(64, 64)] * 2
        without, with_text = _ask(model, kind, tokens, x.repeat(2, 1, 1, 1), steps, sizes).chunk(2)
        return torch.lerp(without, with_text, 3.0)

    noise_model = NoiseModel(base.alphas_cumprod, base.prediction)
    latents = sample_latents("euler", denoise, cell_noise([3], 64, 64), noise_model, 4)
    pixels = model.vae.decode(latents / base.scale_factor).sample
    assert torch.allclose(decode(base, latents), (pixels / 2 + 0.5).clamp(0, 1), atol=1e-4)
    return (pixels[0] / 2 + 0.5).clamp(0, 1)


@pytest.mark.parametrize(("kind", "prediction"), CASES)
def test_a_lora_of_ours_draws_the_same_picture_in_diffusers(tmp_path: Path, kind: str, prediction: str) -> None:
    model, base, clip_skip = _pair(kind, prediction, tmp_path / "model")
    network = _network(base)
    weights = network.weights()
    save_lora(weights, {}, folder=tmp_path, file="ours.safetensors", precision="float")
    with network.disabled():
        mine = _draw(base, weights, clip_skip)
        plain = _draw(base, LoraWeights({}), clip_skip)
    _pipeline(model, kind).load_lora_weights(tmp_path / "ours.safetensors")
    theirs = _draw_by_diffusers(model, base, kind)
    assert float((mine - theirs).abs().max()) < 1e-3
    assert float((mine - plain).abs().max()) > 1e-2


@pytest.mark.parametrize(("kind", "prediction"), CASES)
def test_a_lora_that_peft_and_diffusers_have_saved_is_read(tmp_path: Path, kind: str, prediction: str) -> None:
    model, base, clip_skip = _pair(kind, prediction, tmp_path / "model")
    network = _network(base)
    _adapt(model, kind, network.weights())
    states = [get_peft_model_state_dict(module) for module in (model.unet, *model.text_encoders)]
    names = ("unet_lora_layers", "text_encoder_lora_layers", "text_encoder_2_lora_layers")
    kind_of_pipeline = type(_pipeline(model, kind))
    kind_of_pipeline.save_lora_weights(tmp_path, **dict(zip(names, states, strict=False)))
    found = read_lora(tmp_path / "pytorch_lora_weights.safetensors")
    targets = lora_targets(base.unet, base.text_encoders)
    known = named_for(found, targets).modules
    assert set(targets) <= set(known)
    theirs = network.weights().modules
    for name in targets:
        assert torch.allclose(known[name].down.flatten(), theirs[name].down.flatten())
        assert torch.allclose(known[name].up.flatten(), theirs[name].up.flatten())
