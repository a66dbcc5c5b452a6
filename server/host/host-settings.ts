import type { z } from "zod";
import { defaultHostSettings, HostSettings } from "../../protocol/host.js";
import type { Store } from "../store/store.js";

export type HostSettingsChange = z.infer<ReturnType<typeof HostSettings.partial>>;

/** How the user wants the WebUI to be treated; kept in the store, because it outlives every WebUI and every server. */
export type KeptHostSettings = { now(): HostSettings; change(change: HostSettingsChange): HostSettings };

const NAME = "host";

export function openHostSettings(store: Store): KeptHostSettings {
  const kept = HostSettings.partial().safeParse(store.setting(NAME));
  let settings = HostSettings.parse({ ...defaultHostSettings, ...(kept.success ? kept.data : {}) });
  return {
    now: () => settings,
    change(change) {
      settings = HostSettings.parse({ ...settings, ...change });
      store.keepSetting(NAME, settings);
      return settings;
    },
  };
}
