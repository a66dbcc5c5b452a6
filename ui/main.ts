import "./shell/train-lora-app.js";
