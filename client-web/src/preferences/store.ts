import { useSyncExternalStore } from "react";

import {
  type Preferences,
  readPreferences,
  readSettings,
  type SystemSettings,
  underSettings,
} from "./preferences";

/** A copy in the browser: the first paint has the right theme before the account's answer is here. Nothing in it is secret. */
const COPY = "orvale.preferences";

interface State {
  /** As the account has them. */
  saved: Preferences;
  settings: SystemSettings;
  /** Tried out in the settings, not yet saved. */
  tried: Partial<Preferences>;
  /** What holds: all three together. */
  effective: Preferences;
}

type Listener = () => void;

function together(saved: Preferences, settings: SystemSettings, tried: Partial<Preferences>): State {
  return { saved, settings, tried, effective: underSettings({ ...saved, ...tried }, settings) };
}

class PreferencesStore {
  #listeners = new Set<Listener>();
  #state = together(readPreferences(readCopy()), readSettings(null), {});

  readonly get = (): State => this.#state;

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What the account says. */
  arrived(content: unknown): void {
    const saved = readPreferences(content);
    writeCopy(saved);
    this.#become(together(saved, this.#state.settings, this.#state.tried));
  }

  /** What the organisation says. */
  decided(content: unknown): void {
    this.#become(together(this.#state.saved, readSettings(content), this.#state.tried));
  }

  /** Shows a choice at once without keeping it; `{}` ends that. */
  try(tried: Partial<Preferences>): void {
    this.#become(together(this.#state.saved, this.#state.settings, tried));
  }

  #become(state: State): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function readCopy(): unknown {
  try {
    return JSON.parse(localStorage.getItem(COPY) ?? "null") as unknown;
  } catch {
    // A private window, or no room: the defaults do until the account answers.
    return null;
  }
}

function writeCopy(preferences: Preferences): void {
  try {
    localStorage.setItem(COPY, JSON.stringify(preferences));
  } catch {
    // As above: only the first paint of the next visit suffers.
  }
}

/** The one store: preferences concern the whole page. */
export const preferences = new PreferencesStore();

/** The preferences that hold now. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, () => preferences.get().effective);
}

/** All that is known of them, for the settings dialog. */
export function usePreferencesState(): State {
  return useSyncExternalStore(preferences.subscribe, preferences.get);
}
