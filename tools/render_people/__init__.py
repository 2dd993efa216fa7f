"""People with hair and exact alpha, rendered headlessly by Blender from CC0 meshes."""
