"""Write the trained nets as one Stable Diffusion 1 checkpoint: python -m pocket.export --from DIR.

DIR holds vae.pt and unet-state.pt as pocket.train_vae and pocket.train_unet leave them.
"""

import argparse
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from pocket.checkpoint import write_checkpoint
from pocket.clip_files import write_clip_folder
from pocket.nets import new_text_encoder, new_unet
from pocket.sidecar import SIDECAR
from pocket.vae import VAE_CONFIG

MODEL = Path(__file__).parent / "model"


def main() -> None:
    """Write pocket.safetensors, pocket.yaml and the training log; with --bpe also the folder clip."""
    parser = argparse.ArgumentParser(description="Export the pocket model as a single-file checkpoint.")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder of the training")
    parser.add_argument("--to", type=Path, default=MODEL)
    parser.add_argument("--bpe", type=Path, help="open_clip's bpe_simple_vocab_16e6.txt.gz, to write clip/ anew")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    unet, vae, text = trained_nets(options.source)
    write_checkpoint(options.to / "pocket.safetensors", unet, vae, text)
    (options.to / "pocket.yaml").write_text(SIDECAR)
    if options.bpe:
        write_clip_folder(options.bpe, options.to / "clip")
    shutil.copyfile(options.source / "log.jsonl", options.to.parent / "training-log.jsonl")


def trained_nets(source: Path) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """The averaged UNet and text encoder and the autoencoder of a training folder, fp32."""
    state = torch.load(source / "unet-state.pt", weights_only=True)
    vae = AutoencoderKL(**VAE_CONFIG)
    vae.load_state_dict(torch.load(source / "vae.pt", weights_only=True))
    unet, text = new_unet(), new_text_encoder()
    averages, rows = state["averages"], "text.embeddings.token_embedding.rows"
    table = state["table"]["frozen"].clone()
    table[state["table"]["ids"]] = averages[rows]
    unet.load_state_dict({name[5:]: value for name, value in averages.items() if name.startswith("unet.")})
    trained = {name[5:]: value for name, value in averages.items() if name.startswith("text.") and name != rows}
    text.load_state_dict(text.state_dict() | trained | {"embeddings.token_embedding.weight": table})
    for module in (unet, vae, text):
        module.eval().requires_grad_(False)
    return unet, vae, text


if __name__ == "__main__":
    main()
