// Made smaller here, as the server takes none that large.

const AGAIN = 0.7; // of the side
const KEPT = ["image/jpeg", "image/png"]; // the others become WebP

export async function shrunk(file, share, limit) {
	const source = await createImageBitmap(file);
	try {
		for (let part = share; ; part *= AGAIN) {
			const canvas = new OffscreenCanvas(Math.ceil(source.width * part), Math.ceil(source.height * part));
			const context = canvas.getContext("2d");
			context.imageSmoothingQuality = "high";
			context.drawImage(source, 0, 0, canvas.width, canvas.height);
			const blob = await canvas.convertToBlob({ type: KEPT.includes(file.type) ? file.type : "image/webp", quality: 0.95 });
			if (blob.size <= limit) return blob;
		}
	} finally {
		source.close();
	}
}
