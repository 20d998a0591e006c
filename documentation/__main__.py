"""Write the generated pages anew: python -m documentation"""

from __future__ import annotations

from documentation import dag_table, measured, openapi, settings

if __name__ == "__main__":
    for page in (dag_table, measured, openapi, settings):
        page.PAGE.write_text(page.generate(), encoding="utf-8")
        print(f"wrote {page.PAGE.name}")
