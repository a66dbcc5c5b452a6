/**
 * Those of a pickle's imports that a checkpoint has no need of. The list names single classes and functions, because
 * the same packages also hold functions that run code (torch.hub.load, numpy.testing…). It is the list of the trainer's
 * safe_pickle.py, so that what is offered here can be loaded there.
 */
export function unsafeImports(imports: readonly string[]): string[] {
  return imports.filter((name) => !safe.has(name) && !/^torch\.\w+Storage$/.test(name));
}

const safe = new Set([
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
  "numpy.dtype",
  "numpy.core.multiarray.scalar",
  "numpy._core.multiarray.scalar",
  // How protocol 2 writes the bytes of a numpy scalar; it encodes text and nothing else.
  "_codecs.encode",
  // What training left in the original Stable Diffusion 1 checkpoints; the trainer puts an empty class in its place.
  "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
  "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
]);
