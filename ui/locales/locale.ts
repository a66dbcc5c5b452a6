import type { ReactiveController, ReactiveControllerHost } from "lit";
import { readPreference, writePreference } from "../data/preferences.js";
import { en, type MessageKey } from "./en.js";
import { type Fill, formatMessage, type Message } from "./message.js";
import { ru } from "./ru.js";

export type Language = "en" | "ru";
export const languages: readonly { id: Language; name: string }[] = [
  { id: "en", name: "English" },
  { id: "ru", name: "Русский" },
];

const KEY = "train-lora:language";
const catalogues: Record<Language, Record<MessageKey, Message>> = { en, ru };
const hosts = new Set<ReactiveControllerHost>();
let current: Language = firstLanguage();

/** The text for a key in the present language. Elements that call it carry a LocaleController. */
export function t(key: MessageKey, fill?: Fill): string {
  return formatMessage(catalogues[current][key], current, fill);
}

export function language(): Language {
  return current;
}

export function setLanguage(next: Language): void {
  current = next;
  writePreference(KEY, next);
  for (const host of hosts) host.requestUpdate();
}

/** Renders its element anew whenever the language changes. */
export class LocaleController implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    hosts.add(this.#host);
  }

  hostDisconnected(): void {
    hosts.delete(this.#host);
  }
}

function firstLanguage(): Language {
  const kept = readPreference(KEY);
  if (kept === "en" || kept === "ru") return kept;
  return navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
}
