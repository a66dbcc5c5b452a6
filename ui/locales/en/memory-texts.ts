export const memoryTexts = {
  "group.memory": "Memory",
  "setting.gradientCheckpointing": "Gradient checkpointing",
  "help.gradientCheckpointing": "Needs far less memory at the same result; a step takes about a third longer.",
};
