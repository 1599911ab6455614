@echo off
rem Registers and starts the job named by the first argument. The job itself refuses to run twice.
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
if exist "%ROOT%\jobs\%1\started.txt" exit /b 0
schtasks /create /tn "dataminer-reconciler-%1" /xml "%ROOT%\jobs\%1\task.xml" /f
if errorlevel 1 exit /b 31
schtasks /run /tn "dataminer-reconciler-%1"
if errorlevel 1 exit /b 32
exit /b 0
