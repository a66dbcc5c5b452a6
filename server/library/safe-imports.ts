/**
 * Those of a pickle's imports that a checkpoint has no need of. The list names single classes and functions, because
 * the same packages also hold functions that run code (torch.hub.load, numpy.testing…).
 */
export function unsafeImports(imports: readonly string[]): string[] {
  return imports.filter((name) => !safe.has(name) && !/^torch\.(\w+Storage|storage\.(Typed|Untyped|_Typed|_Untyped)Storage)$/.test(name));
}

const dtypes = [
  "float64",
  "float32",
  "float16",
  "bfloat16",
  "float8_e4m3fn",
  "float8_e5m2",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "bool",
];

const safe = new Set([
  "collections.OrderedDict",
  "collections.defaultdict",
  "collections.Counter",
  "torch.Size",
  "torch.device",
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
  "torch._tensor._rebuild_from_type_v2",
  ...dtypes.map((dtype) => `torch.${dtype}`),
  "numpy.dtype",
  "numpy.ndarray",
  "numpy.core.multiarray.scalar",
  "numpy.core.multiarray._reconstruct",
  "numpy._core.multiarray.scalar",
  "numpy._core.multiarray._reconstruct",
  // How protocol 2 writes the bytes of a numpy scalar; it encodes text and nothing else.
  "_codecs.encode",
]);
