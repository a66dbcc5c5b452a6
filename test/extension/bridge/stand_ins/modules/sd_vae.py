# The signatures are those of the WebUI.
vae_dict = {"plain.vae.pt": "/models/VAE/plain.vae.pt"}


def reload_vae_weights() -> None:
    pass
