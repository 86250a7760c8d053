// Numbers and amounts as people type them. What can be read in two ways is refused, never guessed.
import { amountText, decimals } from "/widget.js";

/** Countries with their calling code, and the digit that national numbers begin with where there is one. */
export const COUNTRIES = {
  US: ["1", "1"], CA: ["1", "1"], GB: ["44", "0"], IE: ["353", "0"], DE: ["49", "0"], AT: ["43", "0"], CH: ["41", "0"], FR: ["33", "0"], BE: ["32", "0"], NL: ["31", "0"], LU: ["352", ""],
  ES: ["34", ""], PT: ["351", ""], IT: ["39", ""], GR: ["30", ""], DK: ["45", ""], NO: ["47", ""], SE: ["46", "0"], FI: ["358", "0"], IS: ["354", ""], PL: ["48", ""], CZ: ["420", ""], SK: ["421", "0"],
  HU: ["36", "06"], RO: ["40", "0"], BG: ["359", "0"], HR: ["385", "0"], SI: ["386", "0"], EE: ["372", ""], LV: ["371", ""], LT: ["370", "0"], UA: ["380", "0"], TR: ["90", "0"], IL: ["972", "0"],
  AE: ["971", "0"], SA: ["966", "0"], KW: ["965", ""], BH: ["973", ""], QA: ["974", ""], OM: ["968", ""], EG: ["20", "0"], ZA: ["27", "0"], NG: ["234", "0"], KE: ["254", "0"], IN: ["91", "0"], JP: ["81", "0"],
  KR: ["82", "0"], CN: ["86", "0"], HK: ["852", ""], TW: ["886", "0"], SG: ["65", ""], MY: ["60", "0"], TH: ["66", "0"], ID: ["62", "0"], PH: ["63", "0"], AU: ["61", "0"], NZ: ["64", "0"], BR: ["55", "0"],
  MX: ["52", ""], AR: ["54", "0"], CL: ["56", ""], CO: ["57", ""], PE: ["51", "0"],
};

const plainDigits = (text) => text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (sign) => String(sign.charCodeAt(0) & 15));

/** Reads a phone number: with `+` or `00` as it is, else as one of the country. Returns `{ phone }` or `{ error }`. */
export function readPhone(text, country) {
  const typed = plainDigits(text).replace(/\(0\)/, "").replace(/[\s().\u00a0\u2010-\u2013/-]/g, "");
  if (typed === "") return { error: "Type the customer's number." };
  if (!/^\+?\d+$/.test(typed)) return { error: "A number has digits, and a + in front of the country's code." };
  if (typed.startsWith("+")) return checkedPhone(typed);
  if (typed.startsWith("00")) return checkedPhone(`+${typed.slice(2)}`);
  const [code, trunk] = COUNTRIES[country];
  if (code === "1" && typed.startsWith("011")) return checkedPhone(`+${typed.slice(3)}`);
  const national = trunk && typed.startsWith(trunk) ? typed.slice(trunk.length) : typed;
  return checkedPhone(`+${code}${national}`);
}

/** Writes a duration in hours, or in minutes where it is short. */
export const hoursText = (seconds) => (seconds > 5400 ? `${Math.round(seconds / 3600)} h` : `${Math.ceil(seconds / 60)} min`);

// Numbers of North America have ten digits behind the 1. The API knows the lengths of the others.
const checkedPhone = (phone) => (/^\+(1\d{10}|[2-9]\d{6,14})$/.test(phone) ? { phone } : { error: "The number is too short or too long." });

/** Returns the marks that the agent's locale writes between thousands and before decimals. */
function marks(locale) {
  const parts = new Intl.NumberFormat(locale).formatToParts(1234567.8);
  const of = (type) => parts.find((part) => part.type === type)?.value;
  return { group: of("group"), decimal: of("decimal") };
}

/** Reads an amount in major units. Returns `{ amount }` in minor units, or `{ error }` that says what to type instead. */
export function readAmount(text, currency, locale = navigator.language) {
  const places = decimals(currency);
  const wrong = (error) => ({ error });
  const example = amountText({ amount: 4250 * 10 ** Math.max(0, places - 2), currency });
  // Spaces and apostrophes only ever group. The Arabic marks have one meaning each.
  const typed = plainDigits(text.trim()).replace(/(?<=\d)[\s\u00a0\u202f'\u2019\u066c](?=\d{3}(\D|$))/g, "").replace("\u066b", "!");
  if (typed === "") return wrong("Type the amount.");
  if (!/^\d[\d.,]*(!\d+)?$/.test(typed) || /[.,]$|[.,]{2}/.test(typed)) return wrong(`Type an amount such as ${example}.`);
  const made = (whole, part = "") => {
    if (part.length > places) return wrong(places === 0 ? `${currency} has no decimals.` : `${currency} has ${places} decimals at most.`);
    const amount = Number(whole + part.padEnd(places, "0"));
    if (amount === 0) return wrong("The amount is zero.");
    return String(amount).length > 15 ? wrong("The amount is too large.") : { amount };
  };
  const grouped = (whole, mark) => {
    const [first, ...rest] = whole.split(mark);
    const isSound = first.length <= 3 && rest.at(-1)?.length === 3 && rest.every(({ length }) => length === 3 || length === 2 && rest.length > 1);
    return isSound && !/^0/.test(first) ? [first, ...rest].join("") : null;
  };
  const [body, afterArabic] = typed.split("!");
  if (afterArabic !== undefined) return /[.,]/.test(body) ? wrong(`Type an amount such as ${example}.`) : made(body, afterArabic);
  const used = [...body].filter((sign) => sign === "." || sign === ",");
  if (used.length === 0) return made(body);
  const last = used.at(-1);
  if (new Set(used).size === 2) {
    const other = last === "." ? "," : ".";
    const [whole, part, more] = body.split(last);
    const joined = more === undefined ? grouped(whole, other) : null;
    return joined === null ? wrong(`Type an amount such as ${example}.`) : made(joined, part);
  }
  if (used.length > 1) {
    const joined = grouped(body, last);
    return joined === null ? wrong(`Type an amount such as ${example}.`) : made(joined);
  }
  const [whole, part] = body.split(last);
  const { group, decimal } = marks(locale);
  if (part.length !== 3) return made(whole, part);
  // Three digits after one mark are thousands to some and decimals to others.
  const asThousands = grouped(body, last);
  if (asThousands === null) return made(whole, part);
  if (last === decimal && places >= 3) return made(whole, part);
  if (last === group && places < 3) return made(asThousands);
  const either = places >= 3 ? `${Number(whole)}${decimal}${part} or ${asThousands}` : `${asThousands} or ${/^0+$/.test(part) ? Number(whole) + (places > 0 ? decimal + "0".repeat(places) : "") : `at most ${places} decimals`}`;
  return wrong(`“${text.trim()}” can mean two amounts. Type ${either}.`);
}
