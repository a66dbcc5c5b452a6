import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { chooseTagger, findTaggers } from "../../../server/autotag/find-taggers.js";
import { filesOf } from "../../../server/autotag/offered-taggers.js";
import { taggerPlaces } from "../../../server/autotag/tagger-places.js";
import { buildFor } from "../../../server/autotag/tagger-runtime.js";
import { temporaryFolder } from "../dataset/sample-pictures.js";

async function put(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, file);
  }
}

const inFolder = async (folder: string) =>
  (await findTaggers([{ folder, place: "webui", depth: 6 }])).map(({ name, family }) => [name, family]);

test("a tagger is known by the files beside its model, whatever its family", async () => {
  const root = await temporaryFolder();
  await put(join(root, "wd-one/model.onnx"), join(root, "wd-one/selected_tags.csv"));
  await put(
    join(root, "cl_tagger_1_02/model.onnx"),
    join(root, "cl_tagger_1_02/model_optimized.onnx"),
    join(root, "cl_tagger_1_02/tag_mapping.json"),
  );
  await put(join(root, "deep/deepdanbooru.onnx"), join(root, "deep/tags.txt"), join(root, "deep/categories.json"));
  await put(join(root, "keras/model.h5"), join(root, "keras/tags.txt"), join(root, "lonely/model.onnx"));
  await put(
    join(root, "flat/wd-two.onnx"),
    join(root, "flat/wd-two.csv"),
    join(root, "flat/wd-three.onnx"),
    join(root, "flat/wd-three.csv"),
  );
  const found = await findTaggers([{ folder: root, place: "home", depth: 3 }]);
  expect(found.map(({ name, family }) => `${name} ${family}`).toSorted()).toEqual([
    "cl_tagger_1_02 cl",
    "deep deepdanbooru",
    "wd-one wd",
    "wd-three wd",
    "wd-two wd",
  ]);
  expect(found.find(({ family }) => family === "cl")?.model).toBe(join(root, "cl_tagger_1_02/model_optimized.onnx"));
});

test("in a hub's cache a tagger has its repository's name, and a link without its file is passed by", async () => {
  const root = await temporaryFolder();
  const snapshot = join(root, "models--owner--wd-vit-tagger-v3/snapshots/0123456789abcdef");
  const blobs = join(root, "models--owner--wd-vit-tagger-v3/blobs");
  await put(join(blobs, "aa"), join(blobs, "bb"));
  await mkdir(snapshot, { recursive: true });
  await symlink(join(blobs, "aa"), join(snapshot, "model.onnx"));
  await symlink(join(blobs, "bb"), join(snapshot, "selected_tags.csv"));
  expect(await inFolder(root)).toEqual([["wd-vit-tagger-v3", "wd"]]);
  await rename(join(blobs, "aa"), join(blobs, "cc"));
  expect(await inFolder(root)).toEqual([]);
});

test("a copy in another place is the same tagger, and another content is another one", async () => {
  const root = await temporaryFolder();
  for (const name of ["a", "b", "c"]) await put(join(root, name, "model.onnx"), join(root, name, "selected_tags.csv"));
  for (const name of ["a", "b"]) {
    await writeFile(join(root, name, "model.onnx"), "same");
    await writeFile(join(root, name, "selected_tags.csv"), "same");
  }
  expect((await findTaggers([{ folder: root, place: "home", depth: 2 }])).map(({ name }) => name)).toEqual(["a", "c"]);
});

test("taggers are looked for where WebUI extensions, the hub and sd-scripts keep them", async () => {
  const root = await temporaryFolder();
  const webui = join(root, "webui");
  await put(join(webui, "models/TaggerOnnx/wd-a/model.onnx"), join(webui, "models/TaggerOnnx/wd-a/selected_tags.csv"));
  const cached = join(webui, "models/interrogators/models--owner--wd-b/snapshots/01");
  await put(join(cached, "model.onnx"), join(cached, "selected_tags.csv"));
  await put(join(webui, "models/deepdanbooru/deep/model.onnx"), join(webui, "models/deepdanbooru/deep/tags.txt"));
  const extension = join(webui, "extensions/stable-diffusion-webui-dataset-tag-editor/models/wd-c");
  await put(join(extension, "model.onnx"), join(extension, "selected_tags.csv"));
  const hub = join(root, "hf/hub/models--owner--wd-d/snapshots/01");
  await put(join(hub, "model.onnx"), join(hub, "selected_tags.csv"));
  const kohya = join(root, "sd-scripts/wd14_tagger_model/owner_wd-e");
  await put(join(kohya, "model.onnx"), join(kohya, "selected_tags.csv"));
  await put(join(root, "home/taggers/wd-f/model.onnx"), join(root, "home/taggers/wd-f/selected_tags.csv"));
  const facts = { dataDir: webui, loraDir: join(webui, "models/Lora"), checkpointDirs: [join(webui, "models/Stable-diffusion")] };
  const env = { HF_HOME: join(root, "hf"), SD_SCRIPTS_DIR: join(root, "sd-scripts") };
  const found = await findTaggers(await taggerPlaces({ home: join(root, "home"), facts, env }));
  expect(found.map(({ name, place }) => `${name} ${place}`)).toEqual([
    "wd-f home",
    "wd-a webui",
    "wd-b webui",
    "deep webui",
    "wd-c webui",
    "wd-d cache",
    "owner_wd-e other",
  ]);
});

test("a tagger is meant by its id, its name or its path, and a wrong name is answered with the right ones", async () => {
  const root = await temporaryFolder();
  await put(join(root, "wd-one/model.onnx"), join(root, "wd-one/selected_tags.csv"));
  const places = [{ folder: root, place: "home", depth: 2 }] as const;
  const tagger = await chooseTagger("WD-One", places);
  expect((await chooseTagger(tagger.id, places)).model).toBe(tagger.model);
  expect((await chooseTagger(tagger.model, [])).id).toBe(tagger.id);
  expect((await chooseTagger(dirname(tagger.model), [])).id).toBe(tagger.id);
  await expect(chooseTagger("wd-two", places)).rejects.toThrow(/only wd-one/);
});

test("a repository's name says which files are fetched", () => {
  expect(filesOf("owner/wd-new-tagger")).toEqual({
    repository: "owner/wd-new-tagger",
    files: ["selected_tags.csv", "model.onnx"],
    name: "wd-new-tagger",
  });
  expect(filesOf("owner/cl/v9").files).toEqual(["v9/tag_mapping.json", "v9/model_optimized.onnx"]);
  for (const wrong of ["", "owner", "../x", "owner/..", "https://example/a/b", "owner/na me"])
    expect(() => filesOf(wrong)).toThrow(/repository/);
});

test("the runtime goes with the CUDA of the trainer's torch", () => {
  expect(buildFor({ cuda: "12.8", python: [3, 10] }, "linux")).toBe("cuda12");
  expect(buildFor({ cuda: "13.0", python: [3, 12] }, "win32")).toBe("cuda13");
  expect(buildFor({ cuda: "13.0", python: [3, 10] }, "linux")).toBe("cpu");
  expect(buildFor({ cuda: null, python: [3, 11] }, "linux")).toBe("cpu");
  expect(buildFor({ cuda: null, python: [3, 11] }, "win32")).toBe("directml");
  expect(buildFor({ cuda: null, python: [3, 11] }, "darwin")).toBe("cpu");
});
