"""A page with what the chat uses of a browser: a chart, an upload, a download, an error."""

import altair as alt
import streamlit as st

st.title("A stub")
rows = alt.Data(values=[{"subgoal": "dosing", "mean": 0.4}, {"subgoal": "triage", "mean": 0.7}])
bars = alt.Chart(rows).mark_bar().encode(x="mean:Q", y="subgoal:N", tooltip=["mean:Q"])
st.altair_chart(bars.add_params(alt.selection_point()), key="chart")
if file := st.file_uploader("Data file", key="upload"):
    st.text(f"{len(file.getvalue())} bytes came")
st.download_button("Rows", "a,b\n1,2\n", "rows.csv", key="download")
if st.button("Fail", key="fail"):
    raise RuntimeError("a secret of the code")
st.chat_input("Goal", key="goal")
