// What a program does with TinyPNG's client for Node: run with the folder of the package on NODE_PATH.
//
//     node tinify_node.js URL KEY AUTHORITY PICTURE
//
// Prints what came of it as JSON.
const fs = require("fs")
const tinify = require("tinify").default

const [url, key, authority, picture] = process.argv.slice(2)
tinify.Client.API_ENDPOINT = url
tinify.Client.CA_BUNDLE = [fs.readFileSync(authority, "utf8")]

async function main() {
  const told = {}
  tinify.key = key
  await tinify.validate()
  told.before = tinify.compressionCount
  const source = tinify.fromFile(picture)
  await source.toFile(`${picture}.made.png`)
  told.plain = (await source.toBuffer()).length
  const small = source.resize({ method: "fit", width: 50, height: 20 }).result()
  told.small = await Promise.all([small.width(), small.height(), small.size(), small.mediaType()])
  const webp = source.convert({ type: ["image/webp", "image/jpg"] }).result()
  told.webp = await Promise.all([webp.size(), webp.extension()])
  told.copyright = Buffer.from(await source.preserve("copyright", "creation").toBuffer()).toString("latin1")
  told.count = tinify.compressionCount
  told.errors = []
  for (const wrong of [
    () => tinify.fromBuffer(Buffer.from("not a picture")).toBuffer(),
    () => source.convert({ type: "image/jpeg" }).toBuffer(),
    () => source.resize({ method: "fit", width: -1, height: 5 }).toBuffer(),
    () => {
      tinify.key = "0000000000000000"
      return tinify.fromFile(picture).toBuffer()
    },
  ]) {
    try {
      await wrong()
      told.errors.push(null)
    } catch (error) {
      told.errors.push([error.constructor.name, error.status])
    }
  }
  console.log(JSON.stringify(told))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
