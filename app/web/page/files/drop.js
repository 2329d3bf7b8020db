// Files and folders that are dropped, pasted or chosen, each with its path.

const PICTURES = /\.(jpe?g|jfif|png|apng|webp|gif|tiff?|avif|heic|heif|hif|bmp|ico|cur|jp2|j2k|jpx|jxl)$/i;

// Of a folder only what looks like a picture: people do not choose what else lies there.
const looksRight = (file) => !file.name.startsWith(".") && (PICTURES.test(file.name) || file.type.startsWith("image/"));

const fileOf = (entry) => new Promise((resolve) => entry.file(resolve, () => resolve(null)));

// All of a folder: a reader gives a hundred at a time.
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return all;
    all.push(...some);
  }
}

async function below(entry, path, found) {
  if (entry.isFile) {
    const file = await fileOf(entry);
    if (file && looksRight(file)) found.push({ file, path: path + file.name });
    return;
  }
  for (const inside of await entriesOf(entry)) await below(inside, `${path}${entry.name}/`, found);
}

async function ofTransfer(transfer) {
  // Before anything is waited for: the list is emptied when the event is over.
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const entry of entries) {
    if (entry instanceof File) found.push({ file: entry, path: entry.name });
    else if (entry?.isFile) {
      const file = await fileOf(entry);
      if (file) found.push({ file, path: file.name });
    } else if (entry) await below(entry, "", found);
  }
  return found;
}

const chosen = (input) => {
  const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  input.value = "";
  return files;
};

// Hand over whatever comes in; `over` is shown while something is held over the page.
export function watch({ add, files, folders, over }) {
  let depth = 0;
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  const show = (change) => {
    depth = Math.max(0, depth + change);
    over.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => holds(event) && show(1));
  addEventListener("dragleave", (event) => holds(event) && show(-1));
  addEventListener("dragover", (event) => holds(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    show(-depth);
    add(await ofTransfer(event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length) add(pasted.map((file) => ({ file, path: file.name })));
  });
  files.addEventListener("change", () => add(chosen(files)));
  folders.addEventListener("change", () => add(chosen(folders).filter(({ file }) => looksRight(file))));
}
