// Talks to the program.

// ask gets JSON. The error's message is for people.
export async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("photodesc browse has ended. Start it again and open the address that it prints.");
  }
  if (!response.ok) {
    const text = (await response.text()).trim() || `the program answers with ${response.status}`;
    throw Object.assign(new Error(text[0].toUpperCase() + text.slice(1)), { status: response.status });
  }
  return response;
}

export const askJSON = async (address, options) => (await ask(address, options)).json();

// Photos are the photos of a view, as the program sends them: see serveList in list.go.
export class Photos {
  constructor(buffer) {
    const view = new DataView(buffer);
    const head = view.getUint32(0, true);
    Object.assign(this, JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, head))));
    this.view = new DataView(buffer, 4 + head);
    this.length = this.photos;
    this.places = null;
  }
  id(i) {
    return this.view.getBigUint64(i * 13, true).toString(16);
  }
  shape(i) {
    return this.view.getUint16(i * 13 + 8, true) / 1000;
  }
  // month is "2024-05", or "" if the date is not known.
  month(i) {
    const m = this.view.getUint16(i * 13 + 10, true);
    return m ? `${Math.floor(m / 12)}-${String((m % 12) + 1).padStart(2, "0")}` : "";
  }
  failed(i) {
    return (this.view.getUint8(i * 13 + 12) & 1) !== 0;
  }
  corrected(i) {
    return (this.view.getUint8(i * 13 + 12) & 2) !== 0;
  }
  // indexOf finds a photo by its ID; -1 if it is not in the view.
  indexOf(id) {
    if (!this.places) {
      this.places = new Map();
      for (let i = 0; i < this.length; i++) this.places.set(this.view.getBigUint64(i * 13, true), i);
    }
    return this.places.get(BigInt("0x" + id)) ?? -1;
  }
}

// askPhotos gets the photos of a view; parameters are those of the address.
export async function askPhotos(parameters, signal) {
  return new Photos(await (await ask(`/api/photos?${parameters}`, { signal })).arrayBuffer());
}

const texts = new Map();
const mostTexts = 5000;

// askTexts gets names and descriptions by ID. Those that are known are not asked for again.
export async function askTexts(ids) {
  const missing = ids.filter((id) => !texts.has(id));
  if (texts.size > mostTexts) texts.clear();
  for (let i = 0; i < missing.length; i += 200) {
    const some = missing.slice(i, i + 200);
    for (const [id, text] of Object.entries(await askJSON(`/api/texts?ids=${some.join(",")}`))) texts.set(id, text);
  }
  return texts;
}

export const forgetText = (id) => texts.delete(id);
export const forgetTexts = () => texts.clear();
