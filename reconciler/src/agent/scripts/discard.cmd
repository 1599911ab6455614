@echo off
rem Removes the staged content of the job named by the first argument.
setlocal
set "CONTENT=C:\ProgramData\dataminer-reconciler\jobs\%1\content"
if exist "%CONTENT%\" rd /s /q "%CONTENT%"
exit /b 0
