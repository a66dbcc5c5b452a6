export const memoryTexts = {
  "group.memory": "Memory",
  "setting.gradientCheckpointing": "Gradient checkpointing",
  "help.gradientCheckpointing": "Needs far less memory at the same result; a step takes about a third longer.",
  "setting.baseWeights": "Base model's weights",
  "help.baseWeights":
    "fp8 and int8 keep the UNet in one byte a number: half the memory of fp16, a slightly slower step. int8 is the more exact of the two.",
};
