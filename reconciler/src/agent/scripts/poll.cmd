@echo off
rem Says how far the job named by the first argument is. The order of the three looks matters: a job holds the
rem lock from before started.txt until after exitcode.txt, so started, then a free lock, then no exit code is a
rem dead job and never one that began in between.
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
set "JOB=%ROOT%\jobs\%1"
set "STARTED=no"
if exist "%JOB%\started.txt" set "STARTED=yes"
set "LOCK=held"
call :free >>"%ROOT%\active.lock"
echo @@poll 1
echo started=%STARTED%
echo lock=%LOCK%
if exist "%JOB%\refused.txt" for /f "usebackq" %%r in ("%JOB%\refused.txt") do echo refused=%%r
if exist "%JOB%\exitcode.txt" for /f "usebackq" %%c in ("%JOB%\exitcode.txt") do echo exit=%%c
echo @@end
exit /b 0

:free
set "LOCK=free"
exit /b 0
