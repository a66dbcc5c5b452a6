"""Tags of pictures by ONNX taggers, and the taggers' files from a hub: `python -m tagger REQUEST.json`."""
