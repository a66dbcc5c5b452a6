export const pictureTexts = {
  "setting.flipAug": "Mirror pictures",
  "help.flipAug": "Each picture is seen mirrored half of the time. Not for faces or clothes that are not alike on both sides.",
  "setting.randomCrops": "Random crops",
  "help.randomCrops":
    "So many crops of each picture take the place of the one at its centre; 4 help where there are few pictures, 0 turns it off.",
  "setting.colorAug": "Colour jitter",
  "help.colorAug": "Now and then a slightly other hue or brightness. Slow: pictures are encoded anew in each step.",
  "subsets.title": "Subsets",
  "subsets.help": "What single folders of the data set have otherwise than all others.",
  "subsets.chosen": { one: "{n} setting of its own", other: "{n} settings of its own" },
};
