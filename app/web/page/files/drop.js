// Files and folders, dropped, pasted or chosen.

const PICTURES = new RegExp(`\\.(${document.documentElement.dataset.ends})$`, "i");

// Of a folder only pictures: people do not choose what else lies there.
const looksRight = ({ name, type }) => !name.startsWith(".") && (PICTURES.test(name) || type.startsWith("image/"));

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
	if (!entry.isFile) {
		for (const inside of await entriesOf(entry)) await below(inside, `${path}${entry.name}/`, found);
		return;
	}
	const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
	if (file && (!path || looksRight(file))) found.push({ file, path: path + file.name });
}

async function ofTransfer(transfer) {
	// At once: the list is emptied after the event. Entries are slow: of pictures a hundred.
	const entryOf = (item, n) => (n > 99 && item.type.startsWith("image/") ? null : item.webkitGetAsEntry?.()) ?? item.getAsFile();
	const entries = [...transfer.items].filter(({ kind }) => kind === "file").map(entryOf);
	const found = [];
	for (const entry of entries) {
		if (entry instanceof File) found.push({ file: entry, path: entry.name });
		else if (entry) await below(entry, "", found);
	}
	return found;
}

const chosen = (input) => {
	const files = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
	input.value = "";
	return files;
};

// `over` is shown while something is held over the page.
export function watch({ add, files, folders, over }) {
	let depth = 0;
	const on = (name, act) => addEventListener(name, (event) => event.dataTransfer?.types.includes("Files") && act(event));
	const show = (change) => {
		depth = Math.max(0, depth + change);
		over.hidden = !depth;
	};
	on("dragenter", () => show(1));
	on("dragleave", () => show(-1));
	on("dragover", (event) => event.preventDefault());
	on("drop", async (event) => {
		event.preventDefault();
		show(-depth);
		add(await ofTransfer(event.dataTransfer));
	});
	addEventListener("paste", ({ clipboardData }) => {
		if (clipboardData?.files.length) add([...clipboardData.files].map((file) => ({ file, path: file.name })));
	});
	// In tasks of their own: the browser takes long enough to hand over hundreds.
	files.onchange = () => setTimeout(() => add(chosen(files)));
	folders.onchange = () => setTimeout(() => add(chosen(folders).filter(({ file }) => looksRight(file))));
}
