# The signatures are those of the WebUI.
data_path = ""
models_path = ""
