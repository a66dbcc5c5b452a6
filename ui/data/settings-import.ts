import { ResultOf } from "../../protocol/messages.js";
import type { SettingsImport } from "../../protocol/settings-import.js";
import { type PlanDraft, parseDraft } from "./plan-draft.js";
import type { Session } from "./session.js";

/** What the server makes of a settings file of any tool; bytes, because PowerShell writes UTF-16. */
export async function importSettings(session: Session, name: string, content: Blob): Promise<SettingsImport> {
  const bytes = new Uint8Array(await content.arrayBuffer());
  return session.connection.request(ResultOf.importSettings, { type: "importSettings", name, content: base64(bytes) });
}

/** The draft with everything that was taken from the file; what the file does not say stays. */
export function withImported(draft: PlanDraft, { settings }: SettingsImport): PlanDraft {
  const taken = parseDraft(JSON.stringify({ baseModel: draft.baseModel, settings }));
  return { ...draft, settings: { ...draft.settings, ...taken.settings } };
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
