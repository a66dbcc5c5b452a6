/** The panel's words. English sentences of failures come from the shim itself, which knows paths and versions. */

const english = {
  language: "en",
  title: "Set up Train LoRA",
  titleUpdate: "Train LoRA was updated",
  lead: "Train LoRA brings what it needs into folders of its own. Nothing of the WebUI's own Python is changed.",
  leadUpdate: (from, to) => `From ${from} to ${to}. Only what has changed is done now; data sets and runs stay as they are.`,
  steps: { node: "Node", packages: "Server's packages", build: "Build of server and page", trainer: "Trainer's Python with torch" },
  reasons: {
    first: "not there yet",
    changed: "changed by the update",
    missing: "was removed or is incomplete",
    no_npm: "the Node that was found has no npm",
    chosen: "a Node of Train LoRA's own",
    torch: "the PyTorch there can't use the GPU",
  },
  statuses: { waiting: "waits", running: "in progress", done: "done", failed: "failed", cancelled: "stopped" },
  torch: { cuda: "CUDA build", rocm: "ROCm build", mps: "Apple GPU build", cpu: "CPU build" },
  nodeFound: (version, path) => `Node ${version} was found${path ? ` (${path})` : ""}.`,
  nodeNone: "No Node 20.19 or newer was found.",
  nodeNoNpm: (version) => `Node ${version} was found, but npm did not come with it.`,
  privateNode: (version, size) => `Install a private Node ${version} (${size}), used by Train LoRA alone`,
  nodeByHand: "Or install Node yourself (nodejs.org) and start the WebUI again.",
  cannotHavePrivate:
    "The WebUI's Python can't make a private one: it has neither venv nor pip, and neither uv nor virtualenv is on PATH. Install Node yourself (nodejs.org) and start the WebUI again.",
  room: (size, free) => `About ${size} in all${free ? `; ${free} are free there` : ""}.`,
  tooLittleRoom: "That is too little room; free some space first.",
  start: "Set up",
  startUpdate: "Update now",
  stop: "Stop",
  stopping: "Stopping …",
  retry: "Try again",
  copy: "Copy details",
  copied: "Copied",
  log: "Log",
  details: "Details",
  changes: (list, more) => `${list.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
  without: "Open without the trainer",
  withoutHint:
    "All but training works without it: pictures, captions, plans and the LoRAs that are there. A training, and a grid drawn outside the WebUI, wait until the trainer's packages are installed.",
  noTrainer: "Training is off: the trainer's packages of this version are not installed yet.",
  installTrainer: "Install them",
  torchWarning: (message) => message,
  open: "Open Train LoRA",
  ready: "Everything is there. Train LoRA is starting …",
  cancelled: "The set-up was stopped. What is done already is kept.",
  running: (step, percent) => `${step} · ${percent} % of the whole`,
  whole: "Whole set-up",
  seconds: (text) => `${text} s`,
  minutes: (minutes, seconds) => `${minutes} min ${seconds} s`,
  lost: "The WebUI does not answer; asking again …",
  login: "Log in to the WebUI again, then reload this page.",
};

const russian = {
  language: "ru",
  title: "Установка Train LoRA",
  titleUpdate: "Train LoRA обновлён",
  lead: "Train LoRA ставит всё нужное в собственные папки. Python самого WebUI не меняется.",
  leadUpdate: (from, to) => `С ${from} на ${to}. Сейчас делается только то, что изменилось; наборы данных и запуски остаются как есть.`,
  steps: { node: "Node", packages: "Пакеты сервера", build: "Сборка сервера и страницы", trainer: "Python тренера с torch" },
  reasons: {
    first: "ещё не установлено",
    changed: "изменено обновлением",
    missing: "удалено или неполно",
    no_npm: "у найденного Node нет npm",
    chosen: "собственный Node для Train LoRA",
    torch: "установленный PyTorch не может использовать GPU",
  },
  statuses: { waiting: "ожидает", running: "выполняется", done: "готово", failed: "ошибка", cancelled: "остановлено" },
  torch: { cuda: "сборка CUDA", rocm: "сборка ROCm", mps: "сборка для GPU Apple", cpu: "сборка CPU" },
  nodeFound: (version, path) => `Найден Node ${version}${path ? ` (${path})` : ""}.`,
  nodeNone: "Node 20.19 или новее не найден.",
  nodeNoNpm: (version) => `Найден Node ${version}, но без npm.`,
  privateNode: (version, size) => `Установить отдельный Node ${version} (${size}) только для Train LoRA`,
  nodeByHand: "Или установите Node сами (nodejs.org) и перезапустите WebUI.",
  cannotHavePrivate:
    "Python этого WebUI не может поставить отдельный Node: нет ни venv, ни pip, а в PATH нет ни uv, ни virtualenv. Установите Node сами (nodejs.org) и перезапустите WebUI.",
  room: (size, free) => `Всего около ${size}${free ? `; там свободно ${free}` : ""}.`,
  tooLittleRoom: "Места мало; сначала освободите его.",
  start: "Установить",
  startUpdate: "Обновить",
  stop: "Остановить",
  stopping: "Останавливается …",
  retry: "Повторить",
  copy: "Копировать подробности",
  copied: "Скопировано",
  log: "Журнал",
  details: "Подробности",
  changes: (list, more) => `${list.join(", ")}${more > 0 ? ` и ещё ${more}` : ""}`,
  without: "Открыть без тренера",
  withoutHint:
    "Без него работает всё, кроме обучения: картинки, подписи, планы и уже готовые LoRA. Обучение и сетка, которую рисует не WebUI, ждут установки пакетов тренера.",
  noTrainer: "Обучение недоступно: пакеты тренера для этой версии ещё не установлены.",
  installTrainer: "Установить",
  torchWarning: (message) =>
    `Всё установлено, но этот PyTorch не может использовать видеокарту, и обучение пойдёт на процессоре. Обновите драйвер или укажите в TRAIN_LORA_TORCH_INDEX адрес папки со сборками PyTorch, перезапустите WebUI и нажмите «Повторить». (${message})`,
  open: "Открыть Train LoRA",
  ready: "Всё на месте. Train LoRA запускается …",
  cancelled: "Установка остановлена. Уже сделанное сохранено.",
  running: (step, percent) => `${step} · ${percent} % от всего`,
  whole: "Вся установка",
  seconds: (text) => `${text} с`,
  minutes: (minutes, seconds) => `${minutes} мин ${seconds} с`,
  lost: "WebUI не отвечает; повторный запрос …",
  login: "Войдите в WebUI снова и обновите страницу.",
  failures: {
    node_missing:
      "Нужен Node 20.19 или новее, но он не найден. Поставьте отдельный Node или установите его сами (nodejs.org) и перезапустите WebUI.",
    npm_missing: "Node найден, но без npm. Установите npm или поставьте отдельный Node.",
    no_venv:
      "Python этого WebUI не может поставить отдельный Node: нет ни venv, ни pip, а в PATH нет ни uv, ни virtualenv. Установите Node 20.19 или новее сами (nodejs.org) и перезапустите WebUI.",
    node_failed:
      "pip не смог поставить отдельный Node. Посмотрите подробности или установите Node 20.19 или новее сами (nodejs.org) и перезапустите WebUI.",
    node_package_broken: "Пакет с Node установлен, но Node для этой системы в нём нет. Установите Node 20.19 или новее сами (nodejs.org).",
    packages_failed: "npm не смог установить пакеты сервера. Посмотрите подробности и нажмите «Повторить».",
    build_failed: "Сборка закончилась ошибкой. Посмотрите подробности и нажмите «Повторить».",
    trainer_failed: "Не удалось установить Python тренера. Посмотрите подробности и нажмите «Повторить».",
    install_failed: "pip не смог установить пакеты тренера. Посмотрите подробности и нажмите «Повторить».",
    program_missing:
      "Для тренера нужен 64-разрядный Python от 3.10 до 3.13 с модулем venv. Какие нашлись, сказано в журнале. Установите его и нажмите «Повторить».",
    disk_full: "Диск заполнен. Освободите место и нажмите «Повторить»: работа продолжится с того же шага.",
    files_in_use: "Файлы расширения заняты. Закройте то, что их использует (обучение, редактор, антивирус), и нажмите «Повторить».",
    permission_denied:
      "Нет права записи в папку. Дайте его пользователю, от имени которого запущен WebUI, и нажмите «Повторить». Папка названа в подробностях.",
    proxy_refused: "Прокси отказал в соединении. Проверьте его адрес и пароль в HTTP_PROXY и HTTPS_PROXY и перезапустите WebUI.",
    certificate:
      "Сертификату реестра здесь не доверяют. Если ваша сеть подменяет сертификаты, укажите её сертификат в NODE_EXTRA_CA_CERTS и PIP_CERT и перезапустите WebUI.",
    no_internet:
      "Реестр пакетов недоступен. Проверьте соединение с интернетом (за прокси — HTTPS_PROXY, с зеркалом — npm_config_registry и PIP_INDEX_URL) и нажмите «Повторить».",
    not_offered: "В реестре нет пакета нужной версии. Если задано зеркало (npm_config_registry, PIP_INDEX_URL), оно могло отстать.",
    registry_refused: "Реестр пакетов отказал. Проверьте зеркало (npm_config_registry, PIP_INDEX_URL) и его пароль.",
    killed:
      "Система завершила программу раньше времени, чаще всего из-за нехватки памяти. Закройте другие программы и нажмите «Повторить».",
    busy: "Другой WebUI сейчас ставит Train LoRA в ту же папку. Дождитесь конца и нажмите «Повторить».",
    server_busy: "Идёт обучение, или оно ждёт в очереди. Обновление возможно, когда очередь опустеет.",
    restricted:
      "Этот WebUI доступен снаружи без входа, поэтому ставить через него ничего нельзя. Запустите его с --gradio-auth или, на свой риск, с --train-lora-allow-remote.",
  },
};

/** The words in the WebUI's language, else the browser's. */
export function setupStrings() {
  const chosen = globalThis.opts?.localization;
  const language = chosen && chosen !== "None" ? chosen : navigator.language;
  return /^ru/i.test(language) ? russian : english;
}

/** The sentence of a failure `{code, message}` in the language of `strings`. */
export function failureSentence(strings, failure) {
  return strings.failures?.[failure.code] ?? failure.message;
}

/** 1500 → "1.5 GB". */
export function sizeText(strings, megabytes) {
  const isLarge = megabytes >= 1000;
  const options = { style: "unit", unit: isLarge ? "gigabyte" : "megabyte", maximumFractionDigits: isLarge && megabytes < 10_000 ? 1 : 0 };
  return new Intl.NumberFormat(strings.language, options).format(isLarge ? megabytes / 1000 : megabytes);
}

/** 75 → "1 min 15 s". */
export function durationText(strings, seconds) {
  if (seconds < 60) return strings.seconds(seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0));
  return strings.minutes(Math.floor(seconds / 60), Math.round(seconds % 60));
}

/** "0.1.0 (42c9787554)". */
export function versionText(version) {
  return version.commit ? `${version.number} (${version.commit})` : version.number;
}
