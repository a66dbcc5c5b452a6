vae_dict = {"plain.vae.pt": "/models/VAE/plain.vae.pt"}


def reload_vae_weights():
    pass
