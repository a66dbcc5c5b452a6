import "./data/zod-without-eval.js";
import "./shell/train-lora-toasts.js";
