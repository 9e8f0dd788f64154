"""Makes the bytes of a file unreadable before they are removed.

A blob's own key follows from the call's key and the salt at its beginning
(security/crypto/FORMAT.md): with the salt overwritten, what a disk may still hold of the blob
opens with no key any more.
"""

from files.blobs import FolderBlobs, in_thread
from files.parts import Place


class BlobShredder:
    """Shreds files by the ids of PROTOCOL.md."""

    def __init__(self, blobs: FolderBlobs) -> None:
        self._blobs = blobs

    async def shred_file(self, municipality_id: str, call_id: str, file_id: str) -> None:
        """Make every blob of a file unreadable and remove it; harmless when it is gone."""
        await in_thread(self._blobs.shred_folder, Place(municipality_id, call_id, file_id).folder)
