/** Reading aloud by the browser's own voices; silent where no voice of the language exists. */
import { signal } from "./html.js";

const TAGS = { ja: "ja-JP", en: "en-US" };

/**
 * @param {{synth?: SpeechSynthesis | undefined}} [options]
 */
export function createSpeech({ synth = globalThis.speechSynthesis } = {}) {
  const languages = signal(/** @type {string[]} */ ([]));
  const look = () => {
    const voices = synth?.getVoices() ?? [];
    languages.value = [...new Set(voices.map((voice) => voice.lang.slice(0, 2)))];
  };
  look();
  synth?.addEventListener?.("voiceschanged", look);
  const stop = () => synth?.cancel();
  /**
   * @param {string} text without readings
   * @param {"ja" | "en"} language
   */
  const say = (text, language) => {
    if (!synth) return;
    synth.cancel();
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = TAGS[language];
    utterance.rate = 0.9;
    synth.speak(utterance);
  };
  return { languages, say, stop };
}

/** @typedef {ReturnType<typeof createSpeech>} Speech */
