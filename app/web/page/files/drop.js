// Files and folders that are dropped, pasted or chosen, each with its path.

const PICTURES = new RegExp(`\\.(${document.documentElement.dataset.ends})$`, "i");

// Of a folder only what looks like a picture: people do not choose what else lies there.
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
	// Before anything is waited for: the list is emptied when the event is over.
	const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
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

// Hand over whatever comes in; `over` is shown while something is held over the page.
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
	files.addEventListener("change", () => add(chosen(files)));
	folders.addEventListener("change", () => add(chosen(folders).filter(({ file }) => looksRight(file))));
}
