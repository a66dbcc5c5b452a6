export const memoryTexts = {
  "group.memory": "Память",
  "setting.gradientCheckpointing": "Пересчёт активаций (gradient checkpointing)",
  "help.gradientCheckpointing": "Нужно намного меньше памяти при том же результате; шаг длится примерно на треть дольше.",
  "setting.baseWeights": "Веса базовой модели",
  "help.baseWeights": "fp8 и int8 хранят UNet по байту на число: вдвое меньше памяти, чем fp16, шаг чуть медленнее. int8 точнее.",
};
